import { phaseProgress, type Trigger } from "@fanfold/core";
import type { PhaseLedger } from "@fanfold/schemas";
import { jobIds, type PhaseFacts, type PhaseRef, phaseRevisionId, type ShardRef } from "@fanfold/store";
import { carryOut } from "./carry-out.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { listFailed } from "./retry-failed.ts";

/** Wait before a phase that is just being resumed is looked at again, in ms. */
const REPORT_AGAIN_MS = 500;

/** Looks at a phase in which something failed or was stopped, and applies its policy. */
export async function reportPhase(
  workings: EngineWorkings,
  runId: string,
  { phase, revision }: PhaseRef,
): Promise<void> {
  const ref = { phase, revision };
  for (;;) {
    const facts = await workings.store.ledger.findPhaseFacts(runId, ref);
    if (facts === undefined || facts.counts.revision !== revision) return;
    if (facts.isResuming) return reportLater(workings, runId, ref, facts.version);
    const trigger = await judge(workings, runId, ref, facts);
    if (trigger === undefined) return;
    const effects = await workings.states.apply(runId, trigger, { version: facts.version });
    if (effects !== "stale") return carryOut(workings, runId, effects);
  }
}

/** While a phase is being resumed its counts are about to change, and say nothing. */
async function reportLater(workings: EngineWorkings, runId: string, ref: PhaseRef, version: number): Promise<void> {
  const id = jobIds.report(runId, `${phaseRevisionId(ref.phase, ref.revision)}.v`, version);
  await workings.store.queues.addSchedulerJob(id, { kind: "report", run_id: runId, ...ref }, REPORT_AGAIN_MS);
}

/** What the counts of a phase mean for its run, as they stood at one moment. */
async function judge(
  workings: EngineWorkings,
  runId: string,
  ref: PhaseRef,
  facts: PhaseFacts,
): Promise<Trigger | undefined> {
  const { counts, isStopped } = facts;
  const fold = await workings.store.ledger.findFold(runId, ref);
  if (fold !== undefined && "failure" in fold) {
    // killed by a stop, it says nothing of the outputs
    if (fold.failure.error_code === "CANCELLED") return { type: "phase_drained", ...ref };
    const cause = { code: "merge_rejected", message: fold.failure.why } as const;
    return { type: "phase_failed", ...ref, cause, failedShards: 0 };
  }
  const progress = phaseProgress(counts, isStopped);
  // where all is done, the decision on the phase's success sees the cost as well
  if (progress !== "complete") await checkBudget(workings, runId);
  if (progress === "tolerable") await tolerateFailed(workings, runId, ref, counts);
  if (progress === "complete" || progress === "tolerable") return undefined;
  const isTolerated = isStopped && counts.tripped === 0 && counts.failed <= counts.tolerated;
  if (counts.failed === 0 || counts.recalled === 1 || isTolerated) {
    const { recalled_by: actor } = counts;
    const drained = { type: "phase_drained", ...ref, isRecalled: facts.isRecalled } as const;
    return progress === "drained" ? { ...drained, ...(actor === undefined ? {} : { actor }) } : undefined;
  }
  const message = await describeFailure(workings, runId, ref, counts);
  if (progress === "busy") {
    const isNew = counts.failed > Math.max(counts.tolerated, counts.excused);
    return isNew ? { type: "shard_failed", ...ref, why: message } : undefined;
  }
  const cause = { code: counts.tripped === 1 ? "circuit_open" : "shards_failed", message } as const;
  return { type: "phase_failed", ...ref, cause, failedShards: counts.failed };
}

/** Failed shards that the phase tolerates no longer hold its aggregate. */
async function tolerateFailed(
  workings: EngineWorkings,
  runId: string,
  ref: PhaseRef,
  counts: PhaseLedger,
): Promise<void> {
  const failed = await listFailed(workings.engine, runId, ref, counts.total);
  await workings.store.queues.releaseFailed(await workings.engine.flowPhase(runId, ref), failed);
  await workings.repair.openGate(runId, ref);
}

async function checkBudget(workings: EngineWorkings, runId: string): Promise<void> {
  const { plan } = await workings.states.plan(runId);
  if (plan.cost_budget_usd === null) return;
  const costUsd = await workings.store.runs.findCost(runId);
  if (costUsd > 0 && costUsd >= plan.cost_budget_usd) await workings.decideOn(runId, { type: "budget_spent", costUsd });
}

async function describeFailure(
  workings: EngineWorkings,
  runId: string,
  ref: PhaseRef,
  counts: PhaseLedger,
): Promise<string> {
  const shard: ShardRef = { ...ref, shard: counts.failed_shard ?? 0 };
  const record = await workings.store.ledger.findShard(runId, shard);
  const why = record?.failure?.why ?? "unknown";
  if (counts.total === 1) return why;
  return `${counts.failed} of ${counts.total} shards failed, last ${ref.phase}[${shard.shard}]: ${why}`;
}
