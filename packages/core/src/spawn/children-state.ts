import type { PhaseRecord } from "@fanfold/schemas";
import { isPhaseOver } from "../run/transitions.ts";
import { causeClause } from "../view/cause-clause.ts";

/** How the children of an attempt stand, for the shard that waits for them. */
export type ChildrenState =
  | { readonly kind: "open" }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly child: string; readonly why: string };

/**
 * How the children of an attempt stand. One that failed decides at once, also while others go on.
 *
 * @param record undefined for a child that is not in the plan yet
 */
export function childrenState(
  children: readonly string[],
  record: (id: string) => PhaseRecord | undefined,
): ChildrenState {
  let isOpen = false;
  for (const child of children) {
    const found = record(child);
    if (found === undefined || !isPhaseOver(found.status)) isOpen = true;
    else if (found.status !== "succeeded") return { kind: "failed", child, why: describeEnd(child, found) };
  }
  return { kind: isOpen ? "open" : "done" };
}

function describeEnd(child: string, { status, cause }: PhaseRecord): string {
  const why = cause === undefined ? undefined : (cause.message ?? causeClause(cause.code, cause.phase ?? null));
  return `${child}, which it spawned, ${status === "failed" ? "failed" : `was ${status}`}${why === undefined ? "" : `: ${why}`}`;
}
