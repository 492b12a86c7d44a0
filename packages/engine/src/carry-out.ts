import { isPhaseOver } from "@fanfold/core";
import type { CompiledPhase, Effect } from "@fanfold/schemas";
import { isDirect, jobIds } from "@fanfold/store";
import { askForSpawner } from "./await-children.ts";
import { discardMaking } from "./discard-making.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { openPhase, resumeRelease } from "./open-phase.ts";

/** Phases that are opened at once. */
const MOST_OPENED_AT_ONCE = 16;

/**
 * Carries out what committed decisions ask for, one after another, and takes it from the outbox. Plain phases that are
 * opened next to each other do not wait for each other; each takes the same steps, so they are opened in their order.
 */
export async function carryOut(workings: EngineWorkings, runId: string, effects: readonly Effect[]): Promise<void> {
  const hasSeveral = effects.filter(({ kind }) => kind === "open_phase").length > 1;
  const graph = hasSeveral ? (await workings.states.plan(runId)).graph : undefined;
  const isPlain = (effect: Effect): boolean =>
    effect.kind === "open_phase" && graph?.has(effect.phase) === true && isPlainDirect(graph.phase(effect.phase));
  for (const together of groupNeighbours(effects, isPlain)) {
    const ends = await Promise.allSettled(together.map((effect) => carryOutOne(workings, runId, effect)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

/** Whether a phase is one shard that is opened without a look at anything else. */
function isPlainDirect(phase: CompiledPhase): boolean {
  return isDirect(phase) && phase.shard === null && phase.lock === null && phase.reuse === undefined;
}

/** Neighbours that may go together, and the others one by one. */
function groupNeighbours(effects: readonly Effect[], mayJoin: (effect: Effect) => boolean): Effect[][] {
  const groups: Effect[][] = [];
  let isOpen = false;
  for (const effect of effects) {
    const joins = mayJoin(effect);
    const group = groups.at(-1);
    if (joins && isOpen && group !== undefined && group.length < MOST_OPENED_AT_ONCE) group.push(effect);
    else groups.push([effect]);
    isOpen = joins;
  }
  return groups;
}

async function carryOutOne(workings: EngineWorkings, runId: string, effect: Effect): Promise<void> {
  await act(workings, runId, effect);
  await workings.store.runs.ackEffect(runId, effect);
}

async function act(workings: EngineWorkings, runId: string, effect: Effect): Promise<void> {
  switch (effect.kind) {
    case "open_phase":
      return openPhase(workings, runId, effect);
    case "discard_making":
      return discardMaking(workings, runId, effect);
    case "resume_release":
      await workings.store.ledger.forgetRecall(runId, effect);
      return resumeRelease(workings, runId, effect);
    case "release_lock":
      return workings.locks.release(runId, effect);
    case "resume_spawner":
      return askForSpawner(workings, runId, effect);
    case "schedule_timeout": {
      const nowMs = workings.clock.nowMs();
      const atMs = effect.at_ms ?? nowMs + effect.delay_ms;
      const job = { kind: "timeout", run_id: runId, at_ms: atMs } as const;
      return workings.store.queues.addSchedulerJob(jobIds.timeout(runId, atMs), job, Math.max(1, atMs - nowMs));
    }
    case "schedule_approval_timeout": {
      const { phase, revision, at_ms } = effect;
      const job = { kind: "approval_timeout", run_id: runId, phase, revision, at_ms } as const;
      const delayMs = Math.max(1, at_ms - workings.clock.nowMs());
      return workings.store.queues.addSchedulerJob(
        jobIds.approvalTimeout(runId, { phase, revision }, at_ms),
        job,
        delayMs,
      );
    }
    case "stop_release":
      return stopRelease(workings, runId);
    case "pause_release":
      await workings.store.ledger.pauseRelease(runId);
      return workings.engine.keys.wakeForRun(runId, `pause.${runId}`);
    case "resume_run":
      await workings.engine.claim(runId, "resume");
      return;
    case "finish_run":
      return finishRun(workings, runId);
  }
}

async function stopRelease(workings: EngineWorkings, runId: string): Promise<void> {
  await workings.store.signals.publishStop(runId);
  const drained = await workings.store.ledger.stopRelease(runId, workings.clock.nowMs());
  await workings.engine.keys.wakeForRun(runId, `stop.${runId}`);
  for (const ref of drained) await workings.engine.report(runId, ref);
  await drainUnopened(workings, runId);
}

/** Phases that were to start and have nothing in the ledger yet: there is nothing to wait for. */
async function drainUnopened(workings: EngineWorkings, runId: string): Promise<void> {
  const counts = await workings.store.ledger.loadPhases(runId);
  for (const [phase, record] of (await workings.states.load(runId)).phases) {
    const revision = record.revision + 1;
    const isOpen = counts.get(phase)?.revision === revision;
    if (record.status === "running" && !isOpen)
      await workings.decideOn(runId, { type: "phase_drained", phase, revision });
  }
}

/** A cancelled run is not carried on by a retry, so nothing of it needs to stay on the queues. */
async function finishRun(workings: EngineWorkings, runId: string): Promise<void> {
  const { run, phases, graph } = await workings.states.load(runId);
  if (run.status !== "cancelled") return;
  for (const [phase, { status, revision }] of phases) {
    if (isPhaseOver(status) && status !== "succeeded") {
      await workings.store.queues.removeFlow(runId, { phase, revision: revision + 1 }, graph.phase(phase));
    }
  }
}
