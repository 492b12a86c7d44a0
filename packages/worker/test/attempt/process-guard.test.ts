import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { findProcesses, findStartTime } from "../../src/attempt/process-table.ts";
import { isRunning } from "./attempt-fixture.ts";

const SCRIPT = fileURLToPath(new URL("../../shell/process-guard.sh", import.meta.url));
const PATH = process.env["PATH"] ?? "";

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(file: string, args: string[], env: Record<string, string> = {}): { child: ChildProcess; pid: number } {
  const child = spawn(file, args, { detached: true, env: { PATH, ...env }, stdio: ["pipe", "ignore", "ignore"] });
  children.push(child);
  if (child.pid === undefined) throw new Error(`${file} did not start`);
  return { child, pid: child.pid };
}

/** Starts a guard with these lines in its table, and ends its input as the death of a worker does. */
async function guard(...lines: string[]): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), "fanfold-guard-test-")), "table");
  writeFileSync(file, lines.map((line) => `${line.padEnd(100)}\n`).join(""));
  const table = openSync(file, "r");
  const child = spawn("/bin/sh", [SCRIPT], { env: { PATH }, stdio: ["pipe", "ignore", "ignore", table] });
  closeSync(table);
  children.push(child);
  child.stdin?.end();
  await once(child, "exit");
  rmSync(dirname(file), { recursive: true });
}

test("ends the groups of open attempts, and leaves those alone that were closed", async () => {
  const [open, closed] = [start("sleep", ["60"]), start("sleep", ["60"])];
  await guard("", `a ${open.pid} ${findStartTime(open.pid) ?? "-"}`, "");
  expect([isRunning(open.pid), isRunning(closed.pid)]).toEqual([false, true]);
});

test("ends what was started for an attempt whose group it was never told of", async () => {
  const early = start("sleep", ["60"], { FANFOLD_ATTEMPT_ID: "run.early.1" });
  const other = start("sleep", ["60"], { FANFOLD_ATTEMPT_ID: "run.other.1" });
  await guard("run.early.1 - -");
  expect([isRunning(early.pid), isRunning(other.pid)]).toEqual([false, true]);
});

test("ends a child that ignores SIGTERM, and a daemon in a session of its own", async () => {
  const stubborn = "trap '' TERM; while :; do sleep 0.1; done";
  const env = { FANFOLD_ATTEMPT_ID: "run.deaf.1" };
  const leader = start("sh", ["-c", `(setsid sh -c "${stubborn}" &); ${stubborn}`], env);
  const variable = "FANFOLD_ATTEMPT_ID=run.deaf.1";
  await vi.waitFor(async () =>
    expect((await findProcesses({ groupId: 0, variable, since: "0" }))?.length).toBeGreaterThan(3),
  );
  await guard(`run.deaf.1 ${leader.pid} ${findStartTime(leader.pid) ?? "-"}`);
  expect(await findProcesses({ groupId: leader.pid, variable, since: "0" })).toEqual([]);
});

test("does not touch a group whose id belongs to another process by now", async () => {
  const later = start("sleep", ["60"]);
  await guard(`a ${later.pid} 1`);
  expect(isRunning(later.pid)).toBe(true);
});

test("ends with the worker when nothing is left to end", async () => {
  const startedAtMs = performance.now();
  await guard("", "");
  expect(performance.now() - startedAtMs).toBeLessThan(1_000);
});
