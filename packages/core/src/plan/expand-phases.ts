import { type CompiledDependency, type CompiledPhase, type Phase, PhaseSchema, type Plan } from "@fanfold/schemas";
import { findProviders } from "./check-artifacts.ts";
import { findNamed } from "./check-conditions.ts";
import { compileDependency, compilePhase, type PhaseLinks } from "./compile-phase.ts";
import { renamePhases } from "./condition-expression.ts";
import { describeIssue } from "./describe-issue.ts";
import { coordinates, type MatrixPoint } from "./matrix-points.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanOutline } from "./plan-outline.ts";

/** A phase of the plan with the strings of one of its instances. */
export type PhaseOfInstance = (phaseIndex: number, point: MatrixPoint) => unknown;

/**
 * Compiles every instance of every phase of a plan without problems, in declaration order, the points of a matrix in
 * theirs. Reports a field that only the values of some instance make wrong.
 */
export function expandPhases(
  plan: Plan,
  outline: PlanOutline,
  ofInstance: PhaseOfInstance,
  draft: PlanDraft,
): CompiledPhase[] {
  const linker = new Linker(plan, outline);
  return plan.phases.flatMap((phase, row) => {
    const compiled: CompiledPhase[] = [];
    for (const [at, point] of (outline.instances.points(row) ?? []).entries()) {
      const instance = at === 0 ? phase : readInstance(ofInstance(row, point), row, { point, draft });
      if (instance === undefined) break;
      compiled.push(compilePhase(instance, point, plan.globals ?? {}, linker.links(row, point)));
    }
    return compiled;
  });
}

function readInstance(
  value: unknown,
  row: number,
  { point, draft }: { point: MatrixPoint; draft: PlanDraft },
): Phase | undefined {
  const read = PhaseSchema.safeParse(value);
  if (read.success) return read.data;
  const { phases } = draft.value;
  draft.value = { ...draft.value, phases: Array.isArray(phases) ? phases.with(row, value) : phases };
  const issues = read.error.issues.map((issue) => ({ ...issue, path: ["phases", row, ...issue.path] }));
  const [problem] = issues.flatMap((issue) => describeIssue(issue, draft));
  if (problem !== undefined) draft.add({ ...problem, message: `${problem.message}, for ${coordinates(point)}` });
  draft.value = { ...draft.value, phases };
  return undefined;
}

/** Joins instances to the instances of other phases that belong to them. */
class Linker {
  readonly #phases: readonly Phase[];
  readonly #outline: PlanOutline;
  readonly #providers: ReadonlyMap<string, number>;

  constructor({ phases }: Plan, outline: PlanOutline) {
    this.#phases = phases;
    this.#outline = outline;
    this.#providers = findProviders(outline.table);
  }

  links(row: number, point: MatrixPoint): PhaseLinks {
    const { depends_on = [], consumes = [], condition } = this.#phases[row] ?? {};
    const cut = this.#outline.table.phases[row];
    const over = this.#providers.get(cut?.forEach?.artifact ?? cut?.shard?.overArtifact ?? "");
    return {
      depends_on: depends_on.map(compileDependency).flatMap((edge) => this.#instanceEdges(edge, row, point)),
      consumes: consumes.map((name) => ({ name, sources: this.#sources(this.#providers.get(name) ?? -1, row, point) })),
      over_phase: over === undefined ? null : (this.#names(over, row, point)[0] ?? null),
      condition: condition === undefined ? null : renamePhases(condition, (name) => this.#nameFor(name, row, point)),
    };
  }

  #instanceEdges(edge: CompiledDependency, row: number, point: MatrixPoint): CompiledDependency[] {
    const source = this.#outline.table.findRow(edge.phase) ?? -1;
    return this.#names(source, row, point).map((phase) => ({ ...edge, phase }));
  }

  #sources(source: number, row: number, point: MatrixPoint): CompiledPhase["consumes"][number]["sources"] {
    const { instances } = this.#outline;
    const positions = instances.sources(row, point, source);
    return positions.map((position) => ({
      phase: this.#outline.instanceName(source, position),
      label: positions.length === 1 ? "" : coordinates(instances.points(source)?.[position] ?? {}),
    }));
  }

  #names(source: number, row: number, point: MatrixPoint): string[] {
    const positions = this.#outline.instances.sources(row, point, source);
    return positions.map((position) => this.#outline.instanceName(source, position));
  }

  /** A phase in a condition is the one instance of it that belongs to this one. */
  #nameFor(name: string, row: number, point: MatrixPoint): string {
    const named = findNamed(name, this.#outline);
    if (named === undefined || named.position !== undefined) return name;
    return this.#names(named.row, row, point)[0] ?? name;
  }
}
