import type { RunState } from "@fanfold/core";
import type { Carrying } from "@fanfold/store";
import type { AttemptCarrier } from "./attempt-end.ts";
import type { WorkerStep } from "./worker-step.ts";

/** Work that a job goes on with in one go, in ms: what takes longer is better done by several workers. */
const ROW_MS = 20;
/** Most phases that a job goes on with in one go. */
const MOST_IN_ROW = 32;

/**
 * Phases that are opened, and that a job may go on with: their work is done inside the worker. It takes several of which
 * it is known that they take no time to speak of, else one.
 */
export function chooseCarried(
  { graph }: RunState,
  { openings }: WorkerStep,
  { expectedMs, ...carrier }: AttemptCarrier,
): Carrying {
  const able = openings
    .map(({ phase }) => graph.phase(phase))
    .filter(({ pool, work }) => pool === carrier.pool && work.kind === "handler");
  const quick: string[] = [];
  let ms = 0;
  for (const phase of able) {
    const expected = expectedMs?.(phase) ?? Number.POSITIVE_INFINITY;
    if (ms + expected > ROW_MS || quick.length === MOST_IN_ROW) continue;
    ms += expected;
    quick.push(phase.id);
  }
  if (quick.length > 0) return { ...carrier, phases: quick, most: quick.length };
  return { ...carrier, phases: able.map(({ id }) => id), most: 1 };
}
