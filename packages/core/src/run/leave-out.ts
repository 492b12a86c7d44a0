import type { Cause } from "@fanfold/schemas";
import type { DecisionDraft } from "./decision-draft.ts";
import { followLoss } from "./staleness.ts";
import { missingDependencies } from "./readiness.ts";

/** What takes no part is skipped, and what cannot do without it is blocked: before anything starts. */
export function leaveOut(draft: DecisionDraft): void {
  const { graph } = draft.state;
  for (const id of graph.ids) if (!graph.phase(id).takes_part) skip(draft, id, { code: "not_selected" });
  for (const id of graph.ids) {
    if (draft.record(id).status !== "pending") continue;
    const missing = missingDependencies(
      graph.phase(id),
      (of) => draft.record(of),
      (of) => graph.phase(of),
    );
    const [first] = missing;
    if (first === undefined) continue;
    const message = `needs ${missing.join(", ")}, which take no part in this run and have no output yet`;
    draft.move(id, "blocked", { cause: { code: "missing_dependency", phase: first, message } });
    draft.emit({ event: "phase_blocked", phase: id, data: { error_code: "missing_dependency", missing } });
  }
}

/** A phase that is not to run; what waits for it is not looked at here. */
export function skip(draft: DecisionDraft, id: string, cause: Cause): void {
  draft.move(id, "skipped", { cause });
  draft.emit({ event: "phase_skipped", phase: id, data: causeData(cause) });
  followLoss(draft, id);
}

/** A phase that ends here, whether it had begun or not. @param actor who cancelled it by hand */
export function cancelPhase(draft: DecisionDraft, id: string, cause: Cause, actor?: string): void {
  draft.move(id, "cancelled", { cause });
  const data = { ...causeData(cause), ...(actor === undefined ? {} : { actor }) };
  draft.emit({ event: "phase_cancelled", phase: id, data });
  followLoss(draft, id);
}

function causeData(cause: Cause): { cause: string; cause_phase: string | null } {
  return { cause: cause.code, cause_phase: cause.phase ?? null };
}
