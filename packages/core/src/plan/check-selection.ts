import { findNamed } from "./check-conditions.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanOutline } from "./plan-outline.ts";
import type { PlanSelection } from "./plan-selection.ts";

const PARTS = ["only", "skip", "from", "to"] as const;

/** Reports ids of a selection that are neither phases of the plan nor instances. */
export function checkSelection(selection: PlanSelection, outline: PlanOutline, draft: PlanDraft): void {
  const unknown = PARTS.flatMap((part) =>
    (selection[part] ?? []).filter((id) => findNamed(id, outline) === undefined).map((id) => ({ part, id })),
  );
  if (unknown.length === 0) return;
  const { table, instances } = outline;
  const instanceNames = [...table.phases.keys()].flatMap((row) =>
    instances.dimensions(row).length === 0
      ? []
      : (instances.points(row) ?? []).map((_, position) => outline.instanceName(row, position)),
  );
  const suggester = new NameSuggester([...table.phases.flatMap(({ id }) => id ?? []), ...instanceNames]);
  for (const { part, id } of unknown) {
    const message = `${part} names "${id}", but no phase has that id`;
    draft.add({ code: "UNKNOWN_SELECTION", message, path: [], isOutside: true, hint: suggester.hint(id) });
  }
}
