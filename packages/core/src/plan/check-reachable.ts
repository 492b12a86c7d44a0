import type { CompiledDependency, CompiledPhase } from "@fanfold/schemas";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanOutline } from "./plan-outline.ts";
import { Reachability } from "./reachability.ts";
import type { SelectedPhases } from "./plan-selection.ts";

/** Pairs of a phase and a source of failure edges that are looked at; a plan with more is left unchecked. */
const MAX_PAIRS = 20_000_000;

/** Warns of phases that can surely never start as the plan is. Of the instances of a phase only the first is told. */
export function checkReachable(selected: SelectedPhases, outline: PlanOutline, draft: PlanDraft): void {
  const check = new ReachableCheck(selected, outline, draft);
  for (const phase of selected.phases) if (phase.takes_part) check.checkEdges(phase);
  check.checkContradictions();
}

class ReachableCheck {
  readonly #selected: SelectedPhases;
  readonly #rows: ReadonlyMap<string, number>;
  readonly #outline: PlanOutline;
  readonly #draft: PlanDraft;
  readonly #told = new Set<string>();

  constructor(selected: SelectedPhases, outline: PlanOutline, draft: PlanDraft) {
    this.#selected = selected;
    this.#rows = new Map(selected.phases.map(({ id }, row) => [id, row]));
    this.#outline = outline;
    this.#draft = draft;
  }

  checkEdges(phase: CompiledPhase): void {
    for (const edge of phase.depends_on) {
      const source = this.#phase(edge.phase);
      if (source === undefined) continue;
      if (this.#selected.leftOut.get(source.id) === "disabled") {
        const why = `it needs "${source.id}", which is disabled`;
        this.#warn(phase, edge, why, `enable "${source.template}", or make the dependency soft`);
      } else if (source.takes_part && edge.when === "failure" && endsRun(source)) {
        const why = `it waits for "${source.id}" to fail, and that ends the run`;
        this.#warn(phase, edge, why, `give "${source.template}" on_failure: skip_dependents or continue`);
      }
    }
  }

  /**
   * A phase that starts only after another one has succeeded, and also only after the same one has failed. Every
   * source of failure edges gets two nodes, for its success and its failure; what a phase takes for granted leads there.
   */
  checkContradictions(): void {
    const { phases } = this.#selected;
    const sources = this.#failureSources();
    if (sources.length === 0 || sources.length * phases.length > MAX_PAIRS) return;
    const nodes = new Map(sources.map((row, at) => [row, phases.length + 2 * at]));
    const edges = phases.map((phase) => phase.depends_on.flatMap((edge) => this.#consequences(edge, nodes)));
    const ends = sources.flatMap((row) => [nodes.get(row) ?? 0, (nodes.get(row) ?? 0) + 1]);
    const graph = new Reachability([...edges, ...ends.map(() => [])], ends);
    const clashing = phases.map((_, row) =>
      sources.find((source) => {
        const node = nodes.get(source) ?? 0;
        return graph.reaches(row, node) && graph.reaches(row, node + 1);
      }),
    );
    for (const [row, source] of clashing.entries()) {
      const phase = phases[row];
      const isFirst = edges[row]?.every((target) => clashing[target] === undefined) === true;
      if (phase === undefined || source === undefined || !phase.takes_part || !isFirst) continue;
      this.#warn(phase, undefined, `it needs "${phases[source]?.id ?? ""}" both to succeed and to fail`);
    }
  }

  #failureSources(): number[] {
    const edges = this.#selected.phases.flatMap(({ depends_on }) => depends_on);
    const failures = edges.filter(({ when }) => when === "failure");
    return [...new Set(failures.flatMap(({ phase }) => this.#rows.get(phase) ?? []))];
  }

  /** Nodes that must hold for an edge to let its phase start. An edge that is always satisfied demands nothing. */
  #consequences({ phase, when }: CompiledDependency, nodes: ReadonlyMap<number, number>): number[] {
    const source = this.#phase(phase);
    const row = this.#rows.get(phase);
    if (source === undefined || row === undefined || !source.takes_part || when === "always") return [];
    const node = nodes.get(row);
    const isLoose = when === "success" && source.on_failure === "continue";
    if (node === undefined || isLoose) return [row];
    return [row, when === "success" ? node : node + 1];
  }

  #phase(id: string): CompiledPhase | undefined {
    return this.#selected.phases[this.#rows.get(id) ?? -1];
  }

  #warn(phase: CompiledPhase, edge: CompiledDependency | undefined, why: string, hint?: string): void {
    const row = this.#outline.table.findRow(phase.template);
    const declared = this.#outline.table.phases[row ?? -1];
    if (declared === undefined || this.#told.has(phase.template)) return;
    this.#told.add(phase.template);
    const template = edge === undefined ? undefined : this.#phase(edge.phase)?.template;
    const at = declared.dependsOn.names.find(({ name }) => name === template)?.at;
    const path = ["phases", declared.index, ...(at === undefined ? [] : ["depends_on", at])];
    const message = `${this.#draft.prefix(path)}cannot start: ${why}`;
    this.#draft.add({ severity: "warning", code: "UNREACHABLE_PHASE", message, path, hint });
  }
}

/** Whether the failure of a phase ends its run at once. */
function endsRun({ critical, on_failure }: CompiledPhase): boolean {
  return critical && on_failure === "abort";
}
