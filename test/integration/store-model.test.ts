import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunEngine } from "@fanfold/engine";
import { connectRedis, FileArtifactStore, openStore, type Store } from "@fanfold/store";
import { startRedis, type TestRedis } from "@fanfold/testkit";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drain } from "./store-model/drain.ts";
import type { Model } from "./store-model/model.ts";
import { PlayedSite } from "./store-model/played-site.ts";
import type { Move } from "./store-model/moves.ts";
import { Step } from "./store-model/step.ts";

const SEQUENCES = Number(process.env["FANFOLD_TEST_SEQUENCES"] ?? 25);
const MAX_STEPS = 30;

let redis: TestRedis | undefined;
let store: Store | undefined;
let dir = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "fanfold-model-"));
  redis = await startRedis();
  const prefix = "{model}";
  const connection = await connectRedis(redis, { prefix });
  store = openStore(connection, new FileArtifactStore(join(dir, "artifacts")), prefix);
});

afterAll(async () => {
  await store?.close();
  await redis?.stop();
  await rm(dir, { recursive: true, force: true });
});

const ENDINGS = ["succeeded", "failed", "given_back", "killed"] as const;

function moves(weight: number, move: fc.Arbitrary<Move>): fc.WeightedArbitrary<Step> {
  const arbitrary = fc.tuple(move, fc.nat(1), fc.nat(9)).map(([made, place, pick]) => new Step(made, place, pick));
  return { weight, arbitrary };
}

function just(weight: number, ...kinds: Exclude<Move["kind"], "finish">[]): fc.WeightedArbitrary<Step> {
  return moves(
    weight,
    fc.constantFrom(...kinds).map((kind) => ({ kind })),
  );
}

const ends = fc.record({
  kind: fc.constant("finish" as const),
  ending: fc.constantFrom(...ENDINGS),
  dies: fc.integer({ min: 0, max: 2 }).map((n) => n === 0),
  goesOn: fc.boolean(),
});

const steps = fc.oneof(
  just(4, "submit"),
  just(10, "start"),
  moves(8, ends),
  just(3, "tend"),
  just(2, "lose", "pause", "resume"),
  just(3, "retry_job", "retry_all", "retry_phase"),
  just(1, "late_finish", "repeat_finish"),
  just(1, "sweep", "cancel_shard"),
  just(1, "cancel", "cancel_phase"),
);

/** A site without a run in it, and the model of it. */
async function begin(): Promise<{ model: Model; site: PlayedSite }> {
  if (store === undefined) throw new Error("redis is not up");
  await store.redis.flushall();
  const engine = new RunEngine(store, { nowMs: () => site.nowMs() });
  const site = new PlayedSite(store, engine);
  return { site, model: { runs: [], last: { runs: new Map(), semaphores: [], holders: [] } } };
}

const submitted = new Step({ kind: "submit" }, 0, 0);

test("whatever happens in which order, the ledger stays true, and every run comes to its end", async () => {
  const sequences = fc.commands([steps], { maxCommands: MAX_STEPS, size: "max" });
  const property = fc.asyncProperty(sequences, async (sequence) => {
    const { model, site } = await begin();
    await submitted.run(model, site);
    await fc.asyncModelRun(() => ({ model, real: site }), sequence);
    await drain(model, site);
  });
  await fc.assert(property, { numRuns: SEQUENCES });
}, 600_000);

test("a shard that took a slot by itself is no longer in line: a cancellation leaves it to its worker", async () => {
  const { model, site } = await begin();
  const kinds = ["submit", "start", "cancel_phase", "start", "retry_job", "start", "cancel"] as const;
  for (const kind of kinds) {
    const step = new Step({ kind }, 0, 0);
    expect(step.check(model), kind).toBe(true);
    await step.run(model, site);
  }
  await drain(model, site);
});

test("a shard that is given back while its run is paused holds no slot", async () => {
  const { model, site } = await begin();
  const finish = { kind: "finish", ending: "given_back", dies: true, goesOn: false } as const;
  for (const move of [{ kind: "submit" }, { kind: "start" }, { kind: "pause" }, finish] as const) {
    await new Step(move, 0, 0).run(model, site);
  }
  expect(model.last.holders).toEqual([]);
  await drain(model, site);
});
