import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  endProcess,
  findProcess,
  formatProcess,
  isProcessAlive,
  loadOwnProcess,
  parseProcess,
  waitForProcessEnd,
} from "../../src/embedded-redis/process-identity.ts";

const LIMIT_MS = 2_000;

/** Starts a shell script and gives its first line of output. */
async function startShell(script: string) {
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line]: unknown[] = await once(child.stdout, "data");
  return { child, line: String(line).trim() };
}

async function getProcess(pid: number | undefined) {
  const identity = await findProcess(pid ?? 0);
  if (identity === undefined) throw new Error(`no process ${pid}`);
  return identity;
}

describe("process identity", () => {
  test("is alive while its process runs and never again", async () => {
    const { child } = await startShell("echo up; exec sleep 60");
    const identity = await getProcess(child.pid);
    expect(await isProcessAlive(identity)).toBe(true);
    child.kill("SIGKILL");
    expect(await waitForProcessEnd(identity, LIMIT_MS)).toBe(true);
    expect(await isProcessAlive(identity)).toBe(false);
  });

  test("does not take another process with the same pid for the first", async () => {
    const me = await loadOwnProcess();
    expect(await isProcessAlive(me)).toBe(true);
    expect(await isProcessAlive({ ...me, started: `${me.started}0` })).toBe(false);
  });

  test("counts a zombie as ended", async () => {
    // The shell has become a program that never asks for its children's ends when the child ends.
    const { line } = await startShell("sleep 0.1 & echo $!; exec sleep 60");
    const zombie = Number(line);
    await expect.poll(() => findProcess(zombie)).toBeUndefined();
    expect(process.kill(zombie, 0)).toBe(true);
  });

  test("gives up waiting for a process that goes on", async () => {
    expect(await waitForProcessEnd(await loadOwnProcess(), 5)).toBe(false);
  });

  test("ends a process that ignores TERM", async () => {
    const { child } = await startShell('trap "" TERM; echo up; while :; do sleep 60; done');
    const identity = await getProcess(child.pid);
    expect(await endProcess(identity, 50)).toBe(true);
    expect(await isProcessAlive(identity)).toBe(false);
  });

  test("ends a process that is stopped", async () => {
    const { child } = await startShell("echo up; exec sleep 60");
    const identity = await getProcess(child.pid);
    child.kill("SIGSTOP");
    expect(await endProcess(identity, 50)).toBe(true);
  });

  test("comes back from text as it was, and not from other text", () => {
    const identities = fc.record({
      pid: fc.integer({ min: 1 }),
      started: fc.stringMatching(/^[0-9A-Za-z]([0-9A-Za-z: ]*[0-9A-Za-z])?$/),
    });
    const roundTrip = fc.property(identities, (identity) => {
      expect(parseProcess(formatProcess(identity))).toEqual(identity);
    });
    fc.assert(roundTrip);
    for (const text of ["", "free", "12", "12 ", "0 1", "x 1"]) expect(parseProcess(text)).toBeUndefined();
  });
});
