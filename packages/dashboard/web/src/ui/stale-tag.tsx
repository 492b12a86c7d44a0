import type { ReactNode } from "react";
import type { PhaseDetail } from "../api/shapes.ts";

interface StaleTagProps {
  readonly phase: PhaseDetail;
  /** Whether the cause stands beside the word; else it is told on hover, and to screen readers. */
  readonly isLong?: boolean;
}

/** Marks a phase whose output is out of date, with the input at the root of it; nothing for the others. */
export function StaleTag({ phase, isLong = false }: StaleTagProps): ReactNode {
  if (!phase.is_stale) return null;
  const cause = phase.stale_cause === null ? "" : `: ${phase.stale_cause}`;
  return (
    <span className="tag tag-warning" title={`out of date${cause}`}>
      stale{isLong ? cause : <span className="unseen">{cause}</span>}
    </span>
  );
}
