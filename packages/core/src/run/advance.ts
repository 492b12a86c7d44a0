import { isApproval } from "./approval.ts";
import { askForApproval } from "./ask-approval.ts";
import { evaluateCondition } from "./condition.ts";
import type { DecisionDraft } from "./decision-draft.ts";
import { fail } from "./fail-phase.ts";
import { skip } from "./leave-out.ts";
import { phaseReadiness } from "./readiness.ts";
import { decideIfStale } from "./rerun.ts";
import { currentInputs } from "./staleness.ts";
import { exceedsBudget, stopAtBudget } from "./stop-run.ts";
import { isPhaseOver } from "./transitions.ts";

/** Starts or skips the pending ones of the affected phases; a skip affects more of them. A spent budget starts none. */
export function advance(draft: DecisionDraft): void {
  const ready = new Set<string>();
  const asked = new Set<string>();
  const askedAtFirst = draft.affected.length;
  for (const [i, id] of draft.affected.entries()) {
    // several ends ask for the same phase; once something was skipped it has to be looked at anew
    if (i < askedAtFirst && asked.has(id)) continue;
    asked.add(id);
    if (draft.record(id).if_stale === true) {
      decideIfStale(draft, id);
      if (draft.record(id).if_stale === undefined) draft.affectsWhatWaits(id);
    }
    if (draft.record(id).status !== "pending" || ready.has(id)) continue;
    const verdict = phaseReadiness(
      draft.state.graph.phase(id),
      draft.record(id),
      (source) => draft.record(source),
      (source) => draft.state.graph.phase(source),
    );
    if (verdict.kind === "ready" && passesCondition(draft, id)) ready.add(id);
    if (verdict.kind === "never") skip(draft, id, verdict.cause);
    if (isPhaseOver(draft.record(id).status)) draft.affectsWhatWaits(id);
  }
  if (draft.unfinished > 0 && exceedsBudget(draft)) return stopAtBudget(draft);
  const inOrder = [...ready].sort((a, b) => draft.state.graph.index(a) - draft.state.graph.index(b));
  for (const id of inOrder) startPhase(draft, id);
}

/**
 * A phase whose condition is false is skipped; one whose condition makes no sense has failed. While a phase that
 * the condition names is being retried there is no answer yet.
 */
function passesCondition(draft: DecisionDraft, id: string): boolean {
  const { graph, plan } = draft.state;
  const phase = graph.phase(id);
  if (phase.condition === null) return true;
  const named = new Map(graph.conditionPhases(id).map((of) => [of, draft.record(of)]));
  if (![...named.values()].every(({ status }) => isPhaseOver(status))) return false;
  const facts = { variables: plan.variables, phases: named };
  const verdict = evaluateCondition(phase, facts);
  if (verdict.kind === "false") skip(draft, id, { code: "condition_false", phase: id });
  if (verdict.kind === "failed") fail(draft, id, { code: "condition_failed", message: verdict.why }, 0);
  return verdict.kind === "true";
}

function startPhase(draft: DecisionDraft, id: string): void {
  if (draft.record(id).status !== "pending") return;
  const { revision, turn } = draft.record(id);
  const { graph } = draft.state;
  draft.move(id, "running", { making: currentInputs(graph, (of) => draft.record(of), id) });
  if (isApproval(graph.phase(id))) {
    const again = turn === undefined ? {} : { turn };
    draft.emit({ event: "phase_started", phase: id, data: { revision: revision + 1, ...again } });
    return askForApproval(draft, id);
  }
  draft.ask({ kind: "open_phase", phase: id, revision: revision + 1 });
}
