import { expandStages } from "./expand-stages.ts";
import { parsePlanText, type PlanSource } from "./parse-plan-text.ts";
import { ValueDocument } from "./plan-document.ts";
import { PlanDraft } from "./plan-draft.ts";
import { isMap } from "./plan-path.ts";

/**
 * Ids of the phases that a plan declares, in its order, those inside of stages last: what `exclude` can take out of it,
 * also when the plan has problems. A phase with a matrix is one.
 */
export function listPhaseIds(plan: unknown): string[] {
  if (!isMap(plan)) return [];
  const draft = new PlanDraft(new ValueDocument(plan), [], false);
  expandStages(draft);
  const ids = draft.arranged().map(({ value }) => (isMap(value) ? value["id"] : undefined));
  return [...new Set(ids.filter((id) => typeof id === "string"))];
}

/** The same, of the text of a plan; none when it cannot be read. */
export function listPhaseIdsOfText(source: PlanSource): string[] {
  return listPhaseIds(parsePlanText(source).document?.value);
}
