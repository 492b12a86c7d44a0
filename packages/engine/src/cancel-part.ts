import { isApproval, isPhaseOver, isRunOver, type Trigger } from "@fanfold/core";
import type { PhaseRecord } from "@fanfold/schemas";
import type { PhaseRef } from "@fanfold/store";
import { EngineError } from "./engine-error.ts";
import type { RunEngine } from "./run-engine.ts";

/** A phase of a run, or one shard of it. */
export interface RunPart {
  readonly phase: string;
  readonly shard?: number | undefined;
}

/** What a cancellation needs of the engine that it does not show. */
export interface CancelTools {
  readonly actor: string;
  readonly decideOn: (trigger: Trigger) => Promise<void>;
  readonly nowMs: number;
}

/**
 * Cancels a phase or a shard by hand. A pending phase is cancelled by a decision; of a running one the ledger hands
 * out nothing more, workers are told to kill what runs, and the phase is cancelled once that is gone.
 */
export async function cancelPart(
  engine: RunEngine,
  { runId, phase, shard }: RunPart & { readonly runId: string },
  { actor, decideOn, nowMs }: CancelTools,
): Promise<void> {
  const { store } = engine;
  await engine.recall(runId);
  const [run, { graph }, phases] = await Promise.all([
    store.runs.get(runId),
    engine.plan(runId),
    store.runs.loadPhases(runId),
  ]);
  if (!graph.ids.includes(phase)) {
    throw new EngineError("UNKNOWN_PHASE", `run ${runId} has no phase ${phase}; it has ${graph.ids.join(", ")}`);
  }
  const { status, revision } = phases.get(phase) ?? { status: "pending", revision: 0 };
  if (status === "cancelled") return;
  if (isRunOver(run.status)) throw new EngineError("RUN_OVER", `run ${runId} is over: ${run.status}`);
  if (isPhaseOver(status)) throw new EngineError("PHASE_OVER", `phase ${phase} is over: ${status}`);
  if (isApproval(graph.phase(phase))) {
    if (shard !== undefined)
      throw new EngineError("UNKNOWN_PHASE", `phase ${phase} waits for a person: it has no shards`);
    await decideOn({ type: "cancel_phase", phase, actor });
    if ((await store.runs.findPhases(runId, [phase])).get(phase)?.status !== "cancelled") {
      throw new EngineError("PHASE_OVER", `phase ${phase} was answered just now; there is nothing to cancel`);
    }
    return;
  }
  if (status === "pending" && shard === undefined) {
    await decideOn({ type: "cancel_phase", phase, actor });
    // it may have been started in between
    if ((await store.runs.loadPhases(runId)).get(phase)?.status !== "running") return;
  }
  const ref = { phase, revision: revision + 1 };
  const counts = await store.ledger.findPhase(runId, phase);
  if (shard !== undefined && counts?.revision === ref.revision && shard >= counts.total) {
    throw new EngineError("UNKNOWN_PHASE", `phase ${phase} has no shard ${shard}; it has ${counts.total}`);
  }
  const reply = await store.ledger.recall(runId, ref, { shard, actor, nowMs });
  if (reply === "over" || reply === "complete") throw tooLate(phase, shard);
  await store.signals.publishStop(runId);
  await engine.keys.wakeForPhase(runId, phase, `recall.${runId}`);
  await cancelChildren(engine, { runId, ref, shard, actor }, phases);
  if (reply === "drained") await engine.report(runId, ref);
  if (reply !== "unopened" || shard !== undefined) return;
  await decideOn({ type: "phase_drained", ...ref, isRecalled: true, actor });
  // it may have been opened in between
  await store.ledger.recall(runId, ref, { shard: undefined, actor, nowMs });
}

/** What a cancelled shard spawned is of no use to anybody. */
async function cancelChildren(
  engine: RunEngine,
  {
    runId,
    ref,
    shard,
    actor,
  }: { readonly runId: string; readonly ref: PhaseRef; readonly shard: number | undefined; readonly actor: string },
  phases: ReadonlyMap<string, PhaseRecord>,
): Promise<void> {
  const { plan } = await engine.plan(runId);
  for (const { id, spawned } of plan.phases) {
    const isChild = spawned?.phase === ref.phase && spawned.revision === ref.revision;
    if (!isChild || (shard !== undefined && spawned.shard !== shard)) continue;
    if (isPhaseOver(phases.get(id)?.status ?? "pending")) continue;
    try {
      await engine.cancelPart(runId, { phase: id }, actor);
    } catch (error) {
      if (!(error instanceof EngineError) || (error.code !== "PHASE_OVER" && error.code !== "RUN_OVER")) throw error;
    }
  }
}

function tooLate(phase: string, shard: number | undefined): EngineError {
  const what = shard === undefined ? `every shard of ${phase}` : `${phase}[${shard}]`;
  return new EngineError("PHASE_OVER", `${what} has ended already; there is nothing to cancel`);
}
