import { isRunOver } from "@fanfold/core";
import type { JournalLine } from "@fanfold/schemas";
import { parseShardId, shardId } from "@fanfold/store";
import { expect } from "vitest";
import { KEY, PHASES, phaseOf, RUN_CAP } from "./plan.ts";
import type { RunSnapshot, Snapshot } from "./snapshot.ts";

/** Checks what must be true of Redis whatever has happened. */
export function checkInvariants(snapshot: Snapshot): void {
  for (const [runId, run] of snapshot.runs) {
    checkCounts(runId, run);
    checkCaps(runId, run);
    checkSets(runId, run);
    checkEnd(runId, run);
  }
  checkKey(snapshot);
}

/** The ledger's equation, and that its counts are those of the shards. */
function checkCounts(runId: string, run: RunSnapshot): void {
  for (const [phase, counts] of run.counts) {
    const { next, in_flight, held, succeeded, failed, cancelled } = counts;
    expect(next, `${runId} ${phase}: the ledger's equation`).toBe(in_flight + held + succeeded + failed + cancelled);
    const count = (...statuses: string[]): number =>
      [...run.shards].filter(([id, { status }]) => phaseOf(id) === phase && statuses.includes(status)).length;
    const actual = {
      in_flight: count("released", "running"),
      held: count("backoff", "waiting"),
      succeeded: count("succeeded"),
      failed: count("failed"),
      cancelled: count("cancelled"),
    };
    expect({ in_flight, held, succeeded, failed, cancelled }, `${runId} ${phase}: counts`).toEqual(actual);
    const unacked = run.claimed.filter((id) => phaseOf(id.replace(/^[~!]/, "")) === phase).length;
    expect(counts.unacked, `${runId} ${phase}: unacked`).toBe(unacked);
  }
  const sum = [...run.counts.values()].reduce((total, { in_flight }) => total + in_flight, 0);
  expect(run.inFlight, `${runId}: in flight`).toBe(sum);
}

function checkCaps(runId: string, run: RunSnapshot): void {
  expect(run.inFlight, `${runId}: max_concurrency`).toBeLessThanOrEqual(RUN_CAP);
  for (const [phase, { in_flight }] of run.counts) {
    expect(in_flight, `${runId} ${phase}: max_parallel`).toBeLessThanOrEqual(PHASES[phase]?.cap ?? 0);
  }
}

/** The key's slots are held by just the shards in flight, and there are no more of them than its limit. */
function checkKey({ runs, semaphores, holders }: Snapshot): void {
  const inFlight = [...runs].flatMap(([runId, run]) =>
    [...run.shards]
      .filter(([id, { status }]) => PHASES[phaseOf(id)]?.hasKey && (status === "released" || status === "running"))
      .map(([id]) => `${runId}/${id}`),
  );
  expect(holders.map((holder) => `${holder.runId}/${shardId(holder)}`).sort(), "holders of the key").toEqual(
    inFlight.sort(),
  );
  const semaphore = semaphores.find(({ name }) => name === KEY.name);
  expect(semaphore?.inUse ?? 0, "slots of the key").toBe(inFlight.length);
  expect(inFlight.length, "limit of the key").toBeLessThanOrEqual(KEY.limit);
  expect(new Set(semaphore?.waiters).size, "who waits for the key").toBe(semaphore?.waiters.length ?? 0);
}

/** The sets beside the records say the same, so that the sweep sees every shard that needs a job. */
function checkSets(runId: string, run: RunSnapshot): void {
  const having = (status: string): string[] =>
    [...run.shards].filter(([, record]) => record.status === status).map(([id]) => id);
  expect([...run.released].sort(), `${runId}: released`).toEqual(having("released").sort());
  expect([...run.cancelled].sort(), `${runId}: cancelled`).toEqual(having("cancelled").sort());
  for (const id of [...having("running"), ...having("backoff")]) {
    expect(run.started.has(id), `${runId}: ${id} is among the started`).toBe(true);
  }
  if (run.record.paused) expect(having("released"), `${runId}: released while paused`).toEqual([]);
  const halted = run.record.stop === null ? [] : [...having("released"), ...having("waiting")];
  expect(halted, `${runId}: not cancelled although stopped`).toEqual([]);
  expect(run.outbox, `${runId}: outbox`).toBe(0);
}

/** Nothing of a run that is over goes on. */
function checkEnd(runId: string, run: RunSnapshot): void {
  if (isRunOver(run.record.status)) expect(run.inFlight, `${runId}: in flight after its end`).toBe(0);
  for (const [phase, { status }] of run.phases) {
    if (status === "succeeded") {
      expect(run.counts.get(phase)?.succeeded, `${runId} ${phase}: all succeeded`).toBe(PHASES[phase]?.shards);
    }
  }
}

/** The journal has no gaps, and accepts no shard twice. */
export function checkJournal(lines: readonly JournalLine[], seq: number): void {
  expect(lines.map((line) => line.seq)).toEqual(Array.from({ length: seq }, (_, i) => i + 1));
  const accepted = lines.filter(({ event }) => event === "shard_succeeded");
  const names = accepted.map(({ phase, shard }) => `${phase}[${shard}]`);
  expect(new Set(names).size, `accepted twice: ${names.join(", ")}`).toBe(names.length);
}

/** Shards that are being put on a queue for the first time: no worker can have them. */
export function listUnqueued(run: RunSnapshot): ReadonlySet<string> {
  const withoutJob = run.claimed.filter((id) => !id.startsWith("~")).map((id) => id.replace("!", ""));
  return new Set(withoutJob.filter((id) => parseShardId(id).revision === 1));
}
