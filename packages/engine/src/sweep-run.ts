import { awaitsApproval } from "@fanfold/core";
import type { PhaseLedger } from "@fanfold/schemas";
import { sweepApprovals } from "./answer-approval.ts";
import { maySpawnPhases } from "./await-children.ts";
import { carryOut } from "./carry-out.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { isFolded } from "./phase-outputs.ts";
import { carrySpawner } from "./spawn-phases.ts";

/** Re-derives what should be on the queues for a live run and repairs the difference. */
export async function sweepRun(workings: EngineWorkings, runId: string): Promise<void> {
  const { store } = workings;
  const state = await workings.states.load(runId);
  if (state.run.status === "queued") return workings.engine.start(runId);
  await carryOut(workings, runId, await store.runs.listOutbox(runId));
  await sweepApprovals(workings, runId, state.phases);
  const running = [...state.phases]
    .filter(([, record]) => record.status === "running" && !awaitsApproval(record))
    .map(([phase]) => phase);
  const counts = await store.ledger.loadPhases(runId);
  for (const phase of running) await sweepFlow(workings, runId, phase, counts.get(phase));
  for (const claimant of await store.ledger.listClaimants(runId)) {
    await workings.repair.repairCarrier(runId, claimant);
    await workings.engine.claim(runId, claimant);
  }
  // slots that nobody else asks for are claimed in the sweep's own name
  await workings.engine.claim(runId, `sweep.${workings.clock.nowMs()}`);
  const spawners = maySpawnPhases(state.plan) ? await store.ledger.listSpawners(runId) : [];
  for (const spawner of spawners) await carrySpawner(workings, runId, spawner);
  const held = new Set((await workings.repair.repairShards(runId)).map(({ phase }) => phase));
  for (const phase of running) await sweepPhase(workings, runId, phase, held.has(phase));
}

async function sweepFlow(
  workings: EngineWorkings,
  runId: string,
  phase: string,
  counts: PhaseLedger | undefined,
): Promise<void> {
  if (counts === undefined) return;
  const ref = { phase, revision: counts.revision };
  if (!(await isFolded(workings, runId, ref, counts))) await workings.repair.repairFlow(runId, ref);
}

async function sweepPhase(workings: EngineWorkings, runId: string, phase: string, isHeld: boolean): Promise<void> {
  const counts = await workings.store.ledger.findPhase(runId, phase);
  if (counts === undefined) return;
  const ref = { phase, revision: counts.revision };
  if (!isHeld) await workings.repair.openGate(runId, ref);
  if (await isFolded(workings, runId, ref, counts)) await workings.engine.settle(runId, ref);
  else await workings.engine.report(runId, ref);
}
