import type { PhaseDetail } from "../api/shapes.ts";

/** Status of a phase as the page shows it: one that waits for a person is `asking`. */
export function shownStatus({ status, approval }: Pick<PhaseDetail, "status" | "approval">): string {
  return approval === null ? status : "asking";
}
