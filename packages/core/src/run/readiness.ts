import type { Cause, CompiledDependency, CompiledPhase, PhaseRecord } from "@fanfold/schemas";
import { isPhaseOver } from "./transitions.ts";

/** What the state of a phase's dependencies means for it. */
export type Readiness =
  | { readonly kind: "ready" }
  | { readonly kind: "waits" }
  | { readonly kind: "never"; readonly cause: Cause };

/** How one dependency stands. */
type EdgeState = "satisfied" | "undecided" | "never";

function edgeState(
  edge: CompiledDependency,
  { source, sourcePhase, turn }: { source: PhaseRecord; sourcePhase: CompiledPhase; turn: number },
): EdgeState {
  const wasRerun = source.turn !== undefined;
  if (!sourcePhase.takes_part && !wasRerun) return isMissing(edge, source) ? "never" : "satisfied";
  if (!isPhaseOver(source.status) || source.if_stale === true) return "undecided";
  // it takes no part in this turn of the run: what it gave before is used, whatever became of it later
  const isEarlier = (source.turn ?? 0) < turn;
  if (isEarlier && edge.when !== "failure" && (source.revision > 0 || edge.kind === "soft")) return "satisfied";
  switch (edge.when) {
    case "always":
      return "satisfied";
    case "failure":
      return source.status === "failed" ? "satisfied" : "never";
    case "success":
      if (source.status === "succeeded") return "satisfied";
      return source.status === "failed" && sourcePhase.on_failure === "continue" ? "satisfied" : "never";
  }
}

/** A hard prerequisite that takes no part in the run and has no accepted output either. */
function isMissing(edge: CompiledDependency, source: PhaseRecord): boolean {
  return edge.kind === "hard" && source.revision === 0;
}

/** The root cause a dependent inherits from a source that can no longer satisfy it. */
function causeFrom(edge: CompiledDependency, source: PhaseRecord): Cause {
  if (source.status === "failed") return { code: "dependency_failed", phase: edge.phase };
  if (source.status === "succeeded") return { code: "unreachable", phase: edge.phase };
  return source.cause ?? { code: "unreachable", phase: edge.phase };
}

/**
 * Whether a pending phase may start, must wait, or can never start as things are.
 * One impossible dependency decides at once, also while others are still open.
 */
export function phaseReadiness(
  phase: CompiledPhase,
  { turn = 0 }: PhaseRecord,
  record: (id: string) => PhaseRecord,
  definition: (id: string) => CompiledPhase,
): Readiness {
  let waits = false;
  for (const edge of phase.depends_on) {
    const source = record(edge.phase);
    const state = edgeState(edge, { source, sourcePhase: definition(edge.phase), turn });
    if (state === "never") return { kind: "never", cause: causeFrom(edge, source) };
    if (state === "undecided") waits = true;
  }
  return waits ? { kind: "waits" } : { kind: "ready" };
}

/** Hard prerequisites that take no part in this run and have no accepted output: what blocks the phase. */
export function missingDependencies(
  phase: CompiledPhase,
  record: (id: string) => PhaseRecord,
  definition: (id: string) => CompiledPhase,
): string[] {
  return phase.depends_on
    .filter((edge) => !definition(edge.phase).takes_part && isMissing(edge, record(edge.phase)))
    .map((edge) => edge.phase);
}
