import type { CompiledDependency, CompiledPhase, CompiledPlan } from "@fanfold/schemas";
import { CoreError } from "../core-error.ts";
import { listConditionPhases } from "./condition-expression.ts";

/** The edge from a phase to one that depends on it: `phase` is the dependent. */
export type DependentEdge = CompiledDependency;

interface Row {
  readonly phase: CompiledPhase;
  readonly index: number;
  readonly dependents: DependentEdge[];
  /** Phases that its condition names. */
  readonly names: readonly string[];
  /** Phases whose condition names it. */
  readonly readers: string[];
  /** Phases whose outputs it may be made from. */
  readonly inputs: readonly string[];
}

/** The DAG of a compiled plan, asked by phase id. Built in time linear in phases and edges. */
export class PlanGraph {
  /** Ids in declaration order. */
  readonly ids: readonly string[];
  readonly #rows: ReadonlyMap<string, Row>;
  #consumers: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(plan: Pick<CompiledPlan, "phases">) {
    this.ids = plan.phases.map(({ id }) => id);
    this.#rows = new Map(plan.phases.map((phase, index) => [phase.id, newRow(phase, index)]));
    for (const { id, depends_on } of plan.phases) {
      for (const edge of depends_on) this.#row(edge.phase).dependents.push({ ...edge, phase: id });
      for (const named of this.#row(id).names) this.#rows.get(named)?.readers.push(id);
    }
  }

  /**
   * The phase with that id.
   * @throws {CoreError} UNKNOWN_PHASE, as do all methods that take an id
   */
  phase(id: string): CompiledPhase {
    return this.#row(id).phase;
  }

  /** Ids of the instances of a phase of the plan, or the one with that id itself; all phases when none is named. */
  instances(id: string | undefined): readonly string[] {
    if (id === undefined) return this.ids;
    return this.ids.filter((one) => one === id || this.phase(one).template === id);
  }

  /** Position of a phase in declaration order, from 0. */
  index(id: string): number {
    return this.#row(id).index;
  }

  /** Edges out of a phase, in declaration order of the phases that depend on it. */
  dependents(id: string): readonly DependentEdge[] {
    return this.#row(id).dependents;
  }

  /** Phases that the condition of a phase names. */
  conditionPhases(id: string): readonly string[] {
    return this.#row(id).names;
  }

  /** Phases whose condition names this one, in declaration order. */
  conditionReaders(id: string): readonly string[] {
    return this.#row(id).readers;
  }

  /** Phases whose outputs a phase is made from: those it depends on, and those whose artifacts it reads. */
  inputs(id: string): readonly string[] {
    return this.#row(id).inputs;
  }

  /** Phases that are made from the output of this one, in declaration order. */
  consumers(id: string): readonly string[] {
    this.#consumers ??= this.#findConsumers();
    return this.#consumers.get(id) ?? [];
  }

  /** Whether the plan has such a phase. */
  has(id: string): boolean {
    return this.#rows.has(id);
  }

  #findConsumers(): Map<string, string[]> {
    const consumers = new Map<string, string[]>();
    for (const id of this.ids) {
      for (const input of this.#row(id).inputs) {
        const list = consumers.get(input) ?? [];
        list.push(id);
        consumers.set(input, list);
      }
    }
    return consumers;
  }

  /** Every phase that comes before this one, directly or not. */
  ancestors(id: string): Set<string> {
    const found = new Set<string>();
    const queue = [this.phase(id)];
    for (const { depends_on } of queue) {
      for (const { phase } of depends_on) {
        if (found.has(phase)) continue;
        found.add(phase);
        queue.push(this.phase(phase));
      }
    }
    return found;
  }

  #row(id: string): Row {
    const row = this.#rows.get(id);
    if (row === undefined) throw new CoreError("UNKNOWN_PHASE", `phase ${id} is not in this plan`);
    return row;
  }
}

function newRow(phase: CompiledPhase, index: number): Row {
  const names = phase.condition === null ? [] : listConditionPhases(phase.condition);
  return { phase, index, dependents: [], names, readers: [], inputs: listInputs(phase) };
}

/** Phases whose outputs a phase is made from: those it depends on, and those whose artifacts it reads. */
export function listInputs({ depends_on, consumes, over_phase }: CompiledPhase): string[] {
  const read = consumes.flatMap(({ sources }) => sources.map(({ phase }) => phase));
  const cut = over_phase === null ? [] : [over_phase];
  return [...new Set([...depends_on.map(({ phase }) => phase), ...read, ...cut])];
}
