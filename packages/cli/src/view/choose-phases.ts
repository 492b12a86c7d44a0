import type { PhaseView, RunView } from "@fanfold/core";
import type { PhaseStatus } from "@fanfold/schemas";

/** Phases worth a line each, and how many of each status stay unnamed. */
export interface ChosenPhases {
  readonly shown: readonly PhaseView[];
  readonly hidden: ReadonlyMap<PhaseStatus, number>;
}

/** Who gets a line when there are too many: what fails and what runs, then what comes next. */
const PREFERENCE: readonly PhaseStatus[] = [
  "failed",
  "running",
  "blocked",
  "pending",
  "cancelled",
  "skipped",
  "succeeded",
];

/**
 * Picks the phases to show on at most `maxLines` lines, the line that counts the hidden ones included.
 * Shown phases keep their order; failed ones take at most half of the lines while others run.
 */
export function choosePhases(view: RunView, maxLines: number): ChosenPhases {
  if (view.phases.size <= maxLines) return { shown: [...view.phases.values()], hidden: new Map() };
  const byStatus = new Map<PhaseStatus, PhaseView[]>(PREFERENCE.map((status) => [status, []]));
  for (const phase of view.phases.values()) byStatus.get(phase.status)?.push(phase);
  const chosen = new Set(pick(byStatus, Math.max(0, maxLines - 1)));
  const shown = [...view.phases.values()].filter((phase) => chosen.has(phase));
  return { shown, hidden: countHidden(byStatus, chosen) };
}

function pick(byStatus: ReadonlyMap<PhaseStatus, PhaseView[]>, lines: number): PhaseView[] {
  const chosen: PhaseView[] = [];
  for (const status of PREFERENCE) {
    const candidates = byStatus.get(status) ?? [];
    const running = byStatus.get("running")?.length ?? 0;
    const most = status === "failed" ? Math.max(Math.ceil(lines / 2), lines - running) : lines;
    chosen.push(...candidates.slice(0, Math.max(0, Math.min(most, lines - chosen.length))));
  }
  return chosen;
}

function countHidden(
  byStatus: ReadonlyMap<PhaseStatus, PhaseView[]>,
  chosen: ReadonlySet<PhaseView>,
): Map<PhaseStatus, number> {
  const hidden = new Map<PhaseStatus, number>();
  for (const [status, phases] of byStatus) {
    const count = phases.filter((phase) => !chosen.has(phase)).length;
    if (count > 0) hidden.set(status, count);
  }
  return hidden;
}
