import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { StandstillWatch } from "../src/standstill-watch.ts";

const LIMIT_MS = 400;

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function watching(): { watch: StandstillWatch; seen: number[] } {
  const seen: number[] = [];
  const watch = new StandstillWatch(LIMIT_MS, (ms) => seen.push(ms));
  watch.start(10);
  onTestFinished(() => watch.stop());
  return { watch, seen };
}

test("a process that stood still knows it at the next look, before any timer has run", () => {
  const { watch, seen } = watching();
  standStill(LIMIT_MS + 50);
  watch.look();
  watch.look();
  expect(seen).toHaveLength(1);
  expect(seen[0]).toBeGreaterThan(LIMIT_MS);
});

test("a process that stood still knows it by itself", async () => {
  const { seen } = watching();
  standStill(LIMIT_MS + 50);
  await sleep(30);
  expect(seen).toHaveLength(1);
});

test("a process that goes on is not disturbed", async () => {
  const { watch, seen } = watching();
  await sleep(50);
  watch.look();
  expect(seen).toEqual([]);
});
