import type { JournalLine } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";
import type { Happening } from "./chaos-actions.ts";
import { SHARD_COUNTS } from "./chaos-plan.ts";

/** Counts of a run's journal. */
export interface JournalVerdict {
  readonly lost: number;
  readonly retries: number;
  /** Longest time from a kill or freeze of a worker to the take-over of a shard of it, in ms. */
  readonly worstRecoveryMs: number;
  /** Longest time without an event, in ms, and the sequence number of the event that ended it. */
  readonly silence: { readonly ms: number; readonly seq: number };
  readonly problems: readonly string[];
}

/** Judges a run by its journal: each result accepted once, no gaps, no loss that nobody caused. */
export function judgeJournal(lines: readonly JournalLine[], happened: readonly Happening[]): JournalVerdict {
  const problems: string[] = [];
  for (const [i, { seq }] of lines.entries()) if (seq !== i + 1) problems.push(`seq ${seq} in place ${i + 1}`);
  if (lines.at(-1)?.event !== "run_succeeded") problems.push(`the last event is ${lines.at(-1)?.event}`);
  problems.push(...judgeAccepted(lines));
  const isOutage = happened.some(({ kind }) => kind === "restart redis" || kind === "power cut");
  const losses = lines.filter(({ event }) => event === "shard_lost");
  let worstRecoveryMs = 0;
  for (const line of losses) {
    const worker = typeof line.data.worker === "string" ? line.data.worker : "";
    const lostMs = Date.parse(line.timestamp);
    const causes = happened.filter((h) => h.worker === worker && h.atMs <= lostMs);
    const cause = causes.at(-1);
    if (cause === undefined && !isOutage)
      problems.push(`${line.phase}[${line.shard}] was lost with ${worker}, which lived`);
    if (cause !== undefined && !isOutage) worstRecoveryMs = Math.max(worstRecoveryMs, lostMs - cause.atMs);
  }
  if (lines.some(({ event }) => event.endsWith("_repaired")))
    problems.push("something was put back that nobody removed");
  const retries = lines.filter(({ event }) => event === "shard_retry").length;
  return { lost: losses.length, retries, worstRecoveryMs, silence: longestSilence(lines), problems };
}

function longestSilence(lines: readonly JournalLine[]): { ms: number; seq: number } {
  let longest = { ms: 0, seq: 0 };
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1];
    const ms = before === undefined ? 0 : Date.parse(line.timestamp) - Date.parse(before.timestamp);
    if (ms > longest.ms) longest = { ms, seq: line.seq };
  }
  return longest;
}

function judgeAccepted(lines: readonly JournalLine[]): string[] {
  const accepted = new Map<string, number>();
  for (const { event, phase, shard } of lines) {
    if (event === "shard_succeeded") accepted.set(`${phase}[${shard}]`, (accepted.get(`${phase}[${shard}]`) ?? 0) + 1);
  }
  const problems: string[] = [];
  for (const [phase, count] of Object.entries(SHARD_COUNTS)) {
    for (let shard = 0; shard < count; shard += 1) {
      const times = accepted.get(`${phase}[${shard}]`) ?? 0;
      if (times !== 1) problems.push(`${phase}[${shard}] was accepted ${times} times`);
    }
  }
  return problems;
}

/** What is left of an ended run that should not be: slots, claims, sets, jobs. */
export async function listLeftovers(store: Store, runId: string): Promise<string[]> {
  const keys = store.keys.run(runId);
  const left: string[] = [];
  const inFlight = await store.redis.hget(keys.run, "in_flight");
  if (Number(inFlight ?? 0) !== 0) left.push(`${inFlight} slots of the run are taken`);
  for (const [phase, { in_flight, held, unacked }] of await store.ledger.loadPhases(runId)) {
    if (in_flight + held + unacked > 0) left.push(`${phase}: in_flight ${in_flight}, held ${held}, unacked ${unacked}`);
  }
  for (const name of ["released", "started", "waiting", "claims", "outbox", "open"] as const) {
    if ((await store.redis.exists(keys[name])) === 1) left.push(`${name} is not empty`);
  }
  for (const queue of ["scheduler", "aggregate", "gates", "shards.default"]) {
    const jobs = await store.queues
      .queue(queue)
      .getJobs(["wait", "active", "delayed", "prioritized", "waiting-children"]);
    const own = jobs.filter((job) => job?.data?.run_id === runId);
    if (own.length > 0) left.push(`${queue} has ${own.map((job) => job.id).join(", ")}`);
  }
  return left;
}
