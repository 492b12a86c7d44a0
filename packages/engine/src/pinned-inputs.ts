import { listInputs } from "@fanfold/core";
import type { Artifact, CompiledPhase, PhaseRecord } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";

/** The outputs a phase in the making is made from: those that were in force when it started, whatever comes later. */
export interface PinnedInputs {
  /** Artifacts of the revision that was taken; undefined when that phase had given nothing. */
  artifactsOf(phase: string): readonly Artifact[] | undefined;
  /** The revision that was taken; 0 when that phase had given nothing. */
  revisionOf(phase: string): number;
  /** Record of the phase itself, or of one of those it is made from, as it is now. */
  recordOf(phase: string): PhaseRecord | undefined;
}

/** Finds the outputs a phase is made from. One command, and one more for each that is no longer the latest. */
export async function loadPinnedInputs({ runs }: Store, runId: string, phase: CompiledPhase): Promise<PinnedInputs> {
  const records = await runs.findPhases(runId, [phase.id, ...listInputs(phase)]);
  const own = records.get(phase.id);
  const earlier = new Map<string, readonly Artifact[] | undefined>();
  for (const { phase: source, revision } of own?.making ?? []) {
    const latest = records.get(source);
    if (revision === 0) earlier.set(source, undefined);
    else if (latest?.revision !== revision) {
      earlier.set(source, (await runs.findRevision(runId, { phase: source, revision }))?.artifacts);
    }
  }
  return {
    artifactsOf: (source) => (earlier.has(source) ? earlier.get(source) : records.get(source)?.artifacts),
    revisionOf: (source) =>
      own?.making?.find(({ phase: of }) => of === source)?.revision ?? records.get(source)?.revision ?? 0,
    recordOf: (source) => records.get(source),
  };
}
