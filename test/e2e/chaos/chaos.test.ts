import { expect, test } from "vitest";
import type { Action } from "./chaos-actions.ts";
import { ChaosSite } from "./chaos-site.ts";
import { runSeed } from "./run-seed.ts";

/** Two kills, a restart of Redis and a cut, close together: one take-over is waited for. */
const ACTIONS: readonly Action[] = [
  { kind: "kill worker", afterMs: 300, which: 0, lastsMs: 0 },
  { kind: "cut", afterMs: 100, which: 0, lastsMs: 500 },
  { kind: "kill scheduler", afterMs: 100, which: 0, lastsMs: 0 },
  { kind: "restart redis", afterMs: 300, which: 0, lastsMs: 0 },
];

test("nothing is lost or doubled while workers, schedulers, Redis and the connection fail", async () => {
  const site = await ChaosSite.start();
  try {
    const report = await runSeed(site, 1, { actions: ACTIONS, maxRecoveryMs: 15_000 });
    expect(report.problems).toEqual([]);
    expect(report.happened.length).toBeGreaterThan(0);
    expect(report.account.executions).toBeGreaterThanOrEqual(560);
  } finally {
    await site.stop();
  }
});
