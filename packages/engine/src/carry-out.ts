import { isPhaseOver } from "@fanfold/core";
import type { Effect } from "@fanfold/schemas";
import { jobIds } from "@fanfold/store";
import { askForSpawner } from "./await-children.ts";
import { discardMaking } from "./discard-making.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { openPhase, resumeRelease } from "./open-phase.ts";

/** Phases that are opened at once. */
const MOST_OPENED_AT_ONCE = 16;

/**
 * Carries out what committed decisions ask for, one after another, and takes it from the outbox. Phases that are opened
 * next to each other do not wait for each other.
 */
export async function carryOut(workings: EngineWorkings, runId: string, effects: readonly Effect[]): Promise<void> {
  for (const together of groupOpenings(effects)) {
    const ends = await Promise.allSettled(together.map((effect) => carryOutOne(workings, runId, effect)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

function groupOpenings(effects: readonly Effect[]): Effect[][] {
  const groups: Effect[][] = [];
  for (const effect of effects) {
    const group = groups.at(-1);
    const joins = effect.kind === "open_phase" && group?.[0]?.kind === "open_phase";
    if (joins && group.length < MOST_OPENED_AT_ONCE) group.push(effect);
    else groups.push([effect]);
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
  const { drained } = await workings.store.ledger.stopRelease(runId, workings.clock.nowMs());
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
