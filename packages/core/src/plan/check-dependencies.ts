import type { DeclaredPhase } from "./declared-phase.ts";
import { findCycles, MAX_CYCLES } from "./find-cycles.ts";
import type { Edges } from "./phase-components.ts";
import type { PhaseTable } from "./phase-table.ts";
import type { PlanDraft } from "./plan-draft.ts";

/** Phases of a cycle that are named before the middle is left out. */
const MAX_NAMED = 20;

/** What the phases depend on, as far as the plan says it right. */
export interface DependencyEdges {
  /** For every row of the table the rows it depends on. */
  readonly edges: Edges;
  /** Rows that depend on more than is known. */
  readonly incompleteRows: ReadonlySet<number>;
}

/** Reports dependencies that name no phase, name one twice, or run in a circle. */
export function checkDependencies(table: PhaseTable, draft: PlanDraft): DependencyEdges {
  const edges: number[][] = [];
  const incompleteRows = new Set<number>();
  for (const [row, phase] of table.phases.entries()) {
    const targets = resolveDependencies(phase, table, draft);
    edges.push(targets);
    const isComplete = phase.dependsOn.isComplete && targets.length === phase.dependsOn.names.length;
    if (!isComplete) incompleteRows.add(row);
  }
  reportCycles(edges, table, draft);
  return { edges, incompleteRows };
}

function resolveDependencies(phase: DeclaredPhase, table: PhaseTable, draft: PlanDraft): number[] {
  const targets = new Set<number>();
  for (const { name, at } of phase.dependsOn.names) {
    const path = ["phases", phase.index, "depends_on", at];
    const target = table.findRow(name);
    if (target === undefined) {
      const message = `${draft.prefix(path)}depends on "${name}", but no phase has that id`;
      draft.add({ code: "UNKNOWN_DEPENDENCY", message, path, hint: table.suggester.hint(name) });
    } else if (targets.has(target)) {
      const message = `${draft.prefix(path)}depends on "${name}" more than once`;
      draft.add({ code: "DUPLICATE_DEPENDENCY", message, path });
    } else targets.add(target);
  }
  return [...targets];
}

function reportCycles(edges: Edges, table: PhaseTable, draft: PlanDraft): void {
  const cycles = findCycles(edges);
  for (const [count, cycle] of cycles.entries()) {
    const [first = 0, second] = cycle;
    const phase = table.phases[first];
    const target = second === undefined ? undefined : table.phases[second]?.id;
    if (phase === undefined) continue;
    const at = phase.dependsOn.names.find(({ name }) => name === target)?.at ?? 0;
    const isLast = count === MAX_CYCLES - 1;
    draft.add({
      code: "CYCLE",
      message: `${first === second ? "a phase waits for itself" : "phases wait for each other"}: ${formatCycle(cycle, table)}`,
      path: ["phases", phase.index, "depends_on", at],
      hint: isLast ? `there may be more cycles; these are the first ${MAX_CYCLES}` : undefined,
    });
  }
}

function formatCycle(cycle: readonly number[], table: PhaseTable): string {
  const names = cycle.map((row) => table.phases[row]?.id ?? "?");
  const left = names.length - MAX_NAMED;
  const shown = left > 1 ? [...names.slice(0, MAX_NAMED - 1), `… (${left} more)`, ...names.slice(-1)] : names;
  return shown.join(" -> ");
}
