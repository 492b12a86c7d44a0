import type { CompiledPlan } from "@fanfold/schemas";
import {
  addRemoved,
  type CarriedShard,
  type HeldJob,
  type PhaseRef,
  type ReleasedShard,
  type RemovedJobs,
  StoreError,
} from "@fanfold/store";
import { v4 as uuid4 } from "uuid";
import { systemClock } from "./clock.ts";
import { EngineError } from "./engine-error.ts";
import type { RunEngine } from "./run-engine.ts";

/** How often, and how far apart in ms, a job that a worker holds is looked at again: a lock lasts 8 s. */
const HELD_TRIES = 100;
const HELD_PAUSE_MS = 100;
/** How long a run that is cancelled in order to be removed may take to end, in ms, and how often it is asked. */
const END_WITHIN_MS = 60_000;
const END_PAUSE_MS = 50;
/** Live output of merges: looked for at least under so many attempts, for the case that their job is gone. */
const LEAST_FOLDS = 3;
/** Where an attempt of a merge stands among those of the shards. */
const FOLD_SHARD = -1;

/** What was removed of a run. */
export interface RemovedRun {
  readonly runId: string;
  /** Keys in Redis: the run's own, and those of its jobs and live logs. */
  readonly keys: number;
  readonly jobs: number;
  /** Hashes of the content it named; some of it may belong to other runs, too. */
  readonly references: ReadonlySet<string>;
}

/**
 * Removes everything Redis keeps of an ended run. May die at any point and be repeated: the run is found until its
 * last key is gone. Content in the artifact store stays: `collectArtifacts` takes that.
 *
 * @throws {StoreError} RUN_NOT_FOUND
 * @throws {EngineError} RUN_LIVE when the run is not over; RUN_BUSY when a worker goes on holding a job of it, or
 *   somebody else removes it now
 */
export async function removeRun(engine: RunEngine, runId: string): Promise<RemovedRun> {
  const { removals } = engine.store;
  const token = `${systemClock.nowMs()}.${uuid4()}`;
  const start = await removals.begin(runId, token);
  if (start.kind === "gone") {
    throw new StoreError("RUN_NOT_FOUND", `there is no run ${runId}; \`fanfold ls\` lists the runs`);
  }
  if (start.kind === "live") throw liveRun(runId, start.status);
  const references = new Set<string>();
  for await (const page of removals.scanReferences(runId)) for (const sha of page) references.add(sha);
  const plan = await findPlan(engine, runId);
  if (plan !== undefined) await engine.releaseLocks(runId);
  const { jobs, keys, logs } = await new Removal(engine, runId, token, plan).removeJobs();
  const own = await removals.end(runId, token);
  if (own === 0) throw takenOver(runId);
  engine.forget(runId);
  return { runId, jobs, keys: keys + logs + own, references };
}

/** Cancels a run that is not over, and waits for its end. @throws {EngineError} RUN_LIVE when it does not end in time */
export async function cancelToRemove(engine: RunEngine, runId: string, actor: string): Promise<void> {
  const { status } = await engine.store.runs.get(runId);
  if (status !== "queued" && status !== "running") return;
  await engine.cancel(runId, actor).catch((error: unknown) => {
    if (!(error instanceof EngineError) || error.code !== "RUN_OVER") throw error;
  });
  for (let waitedMs = 0; waitedMs < END_WITHIN_MS; waitedMs += END_PAUSE_MS) {
    const run = await engine.store.runs.get(runId);
    if (run.finished_at_ms !== null) return;
    await pause(END_PAUSE_MS);
  }
  const what = `run ${runId} was cancelled and has not ended within ${END_WITHIN_MS / 1000} s`;
  const next = "start one (`fanfold worker`) where there is none, then remove the run again";
  throw new EngineError("RUN_LIVE", `${what}: a worker of its pools must tell that its processes are gone; ${next}`);
}

/** The plan, unless somebody has removed it by hand: what is left can be removed all the same. */
async function findPlan(engine: RunEngine, runId: string): Promise<CompiledPlan | undefined> {
  try {
    await engine.recall(runId);
    return (await engine.plan(runId)).plan;
  } catch (error) {
    if (error instanceof StoreError && error.code === "RUN_NOT_FOUND") return undefined;
    throw error;
  }
}

/** One removal's way through the queues. */
class Removal {
  readonly #engine: RunEngine;
  readonly #runId: string;
  readonly #token: string;
  readonly #pools: ReadonlyMap<string, string>;

  constructor(engine: RunEngine, runId: string, token: string, plan: CompiledPlan | undefined) {
    this.#engine = engine;
    this.#runId = runId;
    this.#token = token;
    this.#pools = new Map((plan?.phases ?? []).map(({ id, pool }) => [id, pool]));
  }

  async removeJobs(): Promise<{ jobs: number; keys: number; logs: number }> {
    const { removals, jobRemovals, reuse } = this.#engine.store;
    const runId = this.#runId;
    let removed = await this.#untilFree(() => jobRemovals.removeSchedulerJobs(runId));
    let logs = 0;
    for (const ref of await removals.listOpened(runId)) {
      await this.#mustOwn();
      logs += await this.#removeFoldLogs(ref);
      removed = addRemoved(removed, await this.#untilFree(() => jobRemovals.removePhaseJobs(runId, ref)));
    }
    for await (const shards of removals.scanShards(runId)) {
      await this.#mustOwn();
      await reuse.forget(
        runId,
        shards.flatMap(({ record }) => record.fingerprint ?? []),
      );
      for (const [pool, group] of this.#byPool(shards)) {
        removed = addRemoved(
          removed,
          await this.#untilFree(() => jobRemovals.removeShardJobs(runId, pool, group.map(carried))),
        );
      }
      logs += await removals.removeLogs(
        runId,
        shards.map((shard) => ({ ...shard, attempts: shard.record.attempt ?? 0 })),
      );
    }
    return { jobs: removed.jobs, keys: removed.keys, logs };
  }

  async #removeFoldLogs(ref: PhaseRef): Promise<number> {
    const { removals, jobRemovals } = this.#engine.store;
    const attempts = Math.max(LEAST_FOLDS, await jobRemovals.countFolds(this.#runId, ref));
    return removals.removeLogs(this.#runId, [{ ...ref, shard: FOLD_SHARD, attempts }]);
  }

  /** Repeats a removal until no job is held any more: the mark makes its holder give up at once. */
  async #untilFree(remove: () => Promise<RemovedJobs>): Promise<RemovedJobs> {
    let removed = await remove();
    for (let i = 0; i < HELD_TRIES && removed.held.length > 0; i += 1) {
      await pause(HELD_PAUSE_MS);
      removed = addRemoved({ ...removed, held: [] }, await remove());
    }
    const [held] = removed.held;
    if (held !== undefined) throw heldJob(this.#runId, held);
    return removed;
  }

  async #mustOwn(): Promise<void> {
    if ((await this.#engine.store.removals.findToken(this.#runId)) !== this.#token) throw takenOver(this.#runId);
  }

  #byPool(shards: readonly ReleasedShard[]): Map<string, ReleasedShard[]> {
    const groups = new Map<string, ReleasedShard[]>();
    for (const shard of shards) {
      const pool = this.#pools.get(shard.phase) ?? "default";
      const group = groups.get(pool) ?? [];
      group.push(shard);
      groups.set(pool, group);
    }
    return groups;
  }
}

function carried({ record, ...shard }: ReleasedShard): CarriedShard {
  return { ...shard, block: record.block };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function liveRun(runId: string, status: string): EngineError {
  const next = `cancel it first (\`fanfold cancel ${runId}\`), or remove it with --force, which cancels it`;
  return new EngineError("RUN_LIVE", `run ${runId} is ${status}; ${next}`);
}

function heldJob(runId: string, { queue, id }: HeldJob): EngineError {
  const what = `run ${runId} is half removed: a worker holds job ${id} of queue ${queue}`;
  return new EngineError("RUN_BUSY", `${what}; remove the run again when that worker is done`);
}

function takenOver(runId: string): EngineError {
  return new EngineError("RUN_BUSY", `run ${runId} is removed by another process now; nothing is left to do here`);
}
