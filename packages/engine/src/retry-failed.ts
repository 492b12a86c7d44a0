import type { PhaseLedger, PhaseRecord } from "@fanfold/schemas";
import type { PhaseRef } from "@fanfold/store";
import { EngineError } from "./engine-error.ts";
import type { RunEngine } from "./run-engine.ts";

/** What to retry: the whole run, a phase (or all instances of one with a matrix), or one or several shards of it. */
export interface RetryScope {
  readonly phase?: string;
  readonly shard?: number;
  readonly shards?: readonly number[];
}

/** Shards looked at in one round trip. */
const PAGE = 500;

/**
 * Retries what failed for good in a run.
 *
 * @returns names of what is tried again, such as `compile[3]`
 */
export async function retryFailed(
  engine: RunEngine,
  runId: string,
  scope: RetryScope,
  actor: string,
): Promise<string[]> {
  const { store } = engine;
  const run = await store.runs.get(runId);
  if (run.stop === "cancel") {
    throw new EngineError("RUN_CANCELLED", `run ${runId} was cancelled; submit the plan again instead of retrying`);
  }
  await engine.recall(runId);
  const { graph } = await engine.plan(runId);
  const wanted = graph.instances(scope.phase);
  if (wanted.length === 0) {
    throw new EngineError("UNKNOWN_PHASE", `run ${runId} has no phase ${scope.phase}; it has ${graph.ids.join(", ")}`);
  }
  const [records, counts] = await Promise.all([store.runs.loadPhases(runId), store.ledger.loadPhases(runId)]);
  const retried: string[] = [];
  for (const phase of wanted) {
    const entry = counts.get(phase);
    const record = records.get(phase);
    if (record !== undefined && failedBeforeItsShards(record)) {
      const shards = Array.from({ length: entry?.next ?? 0 }, (_, i) => i);
      if (entry !== undefined) await engine.retryChildren(runId, { phase, revision: entry.revision, shards, actor });
      await engine.reopen(runId, phase, actor);
      retried.push(phase);
    } else if (entry !== undefined) retried.push(...(await retryPhase(engine, runId, { phase, entry, actor, scope })));
  }
  if (retried.length === 0) throw nothingToRetry(runId, scope, run.status);
  return [...new Set(retried)];
}

const BEFORE_SHARDS: ReadonlySet<string> = new Set([
  "expansion_failed",
  "lock_timeout",
  "condition_failed",
  "approval_rejected",
  "approval_timeout",
]);

/** A phase that failed without a shard of it having failed, or that its run's limits cut short, is simply re-opened. */
function failedBeforeItsShards({ status, cause }: PhaseRecord): boolean {
  if (status === "failed") return cause !== undefined && BEFORE_SHARDS.has(cause.code);
  const wasCutShort =
    cause?.code === "run_timeout" || cause?.code === "budget_spent" || cause?.code === "cancel_requested";
  return status === "cancelled" && wasCutShort;
}

interface PhaseRetry {
  readonly phase: string;
  readonly entry: PhaseLedger;
  readonly actor: string;
  readonly scope: RetryScope;
}

async function retryPhase(engine: RunEngine, runId: string, retry: PhaseRetry): Promise<string[]> {
  const { phase, entry, actor, scope } = retry;
  const ref = { phase, revision: entry.revision };
  const fold = await engine.store.ledger.findFold(runId, ref);
  const shards = shardsOf(scope);
  if (fold !== undefined && "failure" in fold && shards === undefined) {
    await engine.store.ledger.clearFoldFailure(runId, ref);
    await engine.reopen(runId, phase, actor);
    const isThere = await engine.store.queues.retryAggregate(runId, ref);
    if (!isThere) await engine.restoreFlow(runId, ref, "its aggregate job was removed");
    return [`${phase} (merge)`];
  }
  const recalled = await engine.store.ledger.listRecalled(runId, ref);
  if (entry.failed === 0 && recalled.length === 0) return [];
  const failed = [...(await listFailed(engine, runId, ref, entry.next)), ...recalled];
  const wanted = shards === undefined ? failed : failed.filter((shard) => shards.has(shard));
  if (wanted.length === 0) return [];
  // before the shards: what they wait for must not have failed any more when somebody looks
  const children = await engine.retryChildren(runId, { ...ref, shards: wanted, actor });
  await engine.reopen(runId, phase, actor);
  await engine.requeue(runId, ref, wanted);
  // a sweep between the two lines above may have failed the phase again: then this re-opens it for good
  await engine.reopen(runId, phase, actor);
  // and a shard that has failed again meanwhile is told of again
  await engine.report(runId, ref);
  return [...wanted.map((shard) => (entry.total === 1 ? phase : `${phase}[${shard}]`)), ...children];
}

/** Shards that a scope names, or undefined where it takes all. */
function shardsOf({ shard, shards }: RetryScope): ReadonlySet<number> | undefined {
  if (shard === undefined && shards === undefined) return undefined;
  return new Set([...(shard === undefined ? [] : [shard]), ...(shards ?? [])]);
}

/** Indexes of the shards of a phase that failed for good. */
export async function listFailed(engine: RunEngine, runId: string, ref: PhaseRef, released: number): Promise<number[]> {
  const failed: number[] = [];
  for (let from = 0; from < released; from += PAGE) {
    const records = await engine.store.ledger.listShards(runId, ref, from, Math.min(released, from + PAGE));
    for (const [i, record] of records.entries()) if (record?.status === "failed") failed.push(from + i);
  }
  return failed;
}

function nothingToRetry(runId: string, scope: RetryScope, status: string): EngineError {
  const shards = [...(shardsOf(scope) ?? [])];
  const which = shards.length === 0 ? "" : `, shard ${shards.slice(0, 10).join(", ")}`;
  const where = scope.phase === undefined ? "" : ` in phase ${scope.phase}${which}`;
  return new EngineError("NOTHING_TO_RETRY", `run ${runId} is ${status} and nothing failed${where}`);
}
