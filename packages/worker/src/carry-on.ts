import { DEFAULT_INFRA_LIMIT } from "@fanfold/core";
import { type AttemptEnd, type AttemptEndReply, systemClock } from "@fanfold/engine";
import { type FinishReply, jobIds, type ShardFinish, type ShardRef, shardId } from "@fanfold/store";
import type { Job } from "bullmq";
import { type RecordedOutcome, recordNotBegun, type StartedAttempt } from "./attempt-record.ts";
import { runStarted } from "./run-started.ts";
import type { ShardJobContext } from "./shard-job.ts";

/** Longest time a job goes on with further phases, in ms: what takes longer is to be seen on the queue. */
const CARRY_MS = 1_000;
/** A carried attempt that takes longer than this is named in the log of the job, in ms. */
const NAMED_AFTER_MS = 250;
/** A row that takes longer than this is given up, in ms: other workers can take what has not begun. */
const PATIENCE_MS = 50;

type Next = NonNullable<AttemptEndReply["next"]>;
type Carrier = AttemptEnd["carrier"];

/** A job that may carry shards which its own starts. */
export interface CarryingJob {
  readonly job: Job;
  readonly id: string;
  readonly runId: string;
  readonly pool: string;
  /** Shards of the phase of each that it carries. */
  readonly shardCount: number;
  /** When the job was begun here, Unix ms. */
  readonly startedAtMs: number;
}

/** Whether a job may go on with a shard that it starts: not for long, and not in a worker that stops. */
export function carrierOf({ active, workerName, paces }: ShardJobContext, { pool, startedAtMs }: CarryingJob): Carrier {
  if (active.isClosing || systemClock.nowMs() - startedAtMs > CARRY_MS) return undefined;
  const expectedMs = paces.expectedMs.bind(paces);
  return { worker: workerName, pool, lossLimit: DEFAULT_INFRA_LIMIT, expectedMs };
}

/**
 * Runs the shards that a job carries: they are started by the ends of those before, first ones of phases that follow, or
 * the next one of a phase under a cap. One that does not succeed gets a job of its own, which goes on from what is
 * recorded, and ends the row.
 */
export async function carryOn(context: ShardJobContext, carrier: CarryingJob, first: Next): Promise<void> {
  let next: Next = first;
  while (next.length > 0) {
    const row = next.map((attempt) => startedAttempt(carrier.runId, attempt));
    next = await new CarriedRow(context, carrier, row).run();
  }
}

/** Attempts that were started together, of phases that take no time to speak of; or a single one. */
class CarriedRow {
  readonly #context: ShardJobContext;
  readonly #carrier: CarryingJob;
  readonly #pending: StartedAttempt[];
  readonly #done: AttemptEnd[] = [];
  #lettingGo: Promise<unknown> | undefined;

  constructor(context: ShardJobContext, carrier: CarryingJob, row: StartedAttempt[]) {
    this.#context = context;
    this.#carrier = carrier;
    this.#pending = row;
  }

  /** @returns what the job carries next */
  async run(): Promise<Next> {
    const looking = setTimeout(() => this.#letGo(), PATIENCE_MS);
    try {
      for (let started = this.#pending.shift(); started !== undefined; started = this.#pending.shift()) {
        await this.#runOne(started);
      }
    } finally {
      clearTimeout(looking);
    }
    await this.#lettingGo;
    return this.#complete(carrierOf(this.#context, this.#carrier));
  }

  async #runOne(started: StartedAttempt): Promise<void> {
    const { job, id: claimant, runId, shardCount } = this.#carrier;
    const naming = setTimeout(() => void nameInLog(this.#carrier, started.ref), NAMED_AFTER_MS);
    const outcome = await runStarted(this.#context, started, { job, shardCount }).finally(() => clearTimeout(naming));
    const { finish } = outcome;
    const { ref } = started;
    if (finish.outcome === "succeeded") {
      this.#done.push({ runId, ref, finish, claimant, isCarried: true });
      return;
    }
    await putOnQueue(this.#context, started, { ...outcome, claimant });
    this.#letGo();
  }

  /** One takes long, or went wrong: those behind it get jobs of their own, and nobody waits any longer for those before. */
  #letGo(): void {
    const nowMs = systemClock.nowMs();
    const { id: claimant } = this.#carrier;
    const behind = this.#pending.splice(0).map((started) => {
      const finish = recordNotBegun(started, nowMs);
      return putOnQueue(this.#context, started, { finish, retryAfterMs: undefined, claimant });
    });
    this.#lettingGo = Promise.all([this.#lettingGo, ...behind, this.#complete(undefined)]);
    this.#lettingGo.catch(() => undefined);
  }

  /** Hands in what is done. */
  async #complete(carrier: Carrier): Promise<Next> {
    const ends = this.#done.splice(0);
    const replies = await Promise.all(ends.map((end) => this.#endOne({ ...end, carrier })));
    return replies.flatMap(({ next = [] }) => next);
  }

  async #endOne(end: AttemptEnd): Promise<AttemptEndReply> {
    const { engine } = this.#context;
    const { runId, ref, finish, claimant } = end;
    const reply = await engine.endAttempt(end);
    if (reply.finished.verdict === "refused") return reply;
    await engine.keys.wakeForPhase(runId, ref.phase, claimant);
    if (mustReport(finish, reply.finished)) await report(this.#context, this.#carrier, ref);
    return reply;
  }
}

/** Whether there is something for a scheduler to decide, about the phase or the budget of its run. */
export function mustReport({ outcome, costUsd }: ShardFinish, { progress }: Pick<FinishReply, "progress">): boolean {
  return outcome === "failed" || costUsd > 0 || progress === "drained" || progress === "tolerable";
}

/** Has a scheduler look at the phase of a shard whose end this job has recorded. */
export async function report(
  { engine }: ShardJobContext,
  { job, runId }: Pick<CarryingJob, "job" | "runId">,
  ref: ShardRef,
): Promise<void> {
  const { phase, revision } = ref;
  // the job may be one of a later making, which counts its starts anew
  const id = jobIds.report(runId, `${shardId(ref)}.${job.timestamp}`, job.attemptsStarted);
  await engine.store.queues.addSchedulerJob(id, { kind: "report", run_id: runId, phase, revision });
}

/** Records the end of an attempt that was no success, and has the shard's own job go on from there. */
async function putOnQueue(
  { engine }: ShardJobContext,
  { runId, ref }: StartedAttempt,
  { finish, retryAfterMs = 0, claimant }: RecordedOutcome & { readonly claimant: string },
): Promise<void> {
  const { ledger, queues } = engine.store;
  const own = jobIds.shard(runId, ref);
  const { carrier: _carrier, ...record } = finish.record;
  const { verdict, claimed } = await ledger.finishShard(runId, ref, { ...finish, record }, { claimant: own });
  // whoever has taken it over has put it on its queue
  if (verdict === "refused") return;
  await engine.release(runId, claimed, own);
  await engine.keys.wakeForPhase(runId, ref.phase, own);
  await queues.restoreShard(await engine.flowPhase(runId, ref), ref, retryAfterMs);
  await engine.letGo(runId, claimant, ref);
}

function startedAttempt(runId: string, { ref, record }: Next[number]): StartedAttempt {
  if (record.attempt === undefined || record.fence === undefined) {
    throw new Error(`the ledger started ${jobIds.shard(runId, ref)} without an attempt`);
  }
  return { runId, ref, record, attempt: record.attempt, fence: record.fence };
}

/** A reader of the queue sees one job for all it carries. */
async function nameInLog({ job, shardCount }: CarryingJob, { phase, shard }: ShardRef): Promise<void> {
  const name = shardCount === 1 ? phase : `${phase}[${shard}]`;
  await job.log(`goes on with ${name}`).catch(() => undefined);
}
