import { checkUpstream, type UpstreamNeed } from "./check-upstream.ts";
import { type ConditionReference, isPhaseRoot, readCondition } from "./condition-expression.ts";
import type { DeclaredPhase } from "./declared-phase.ts";
import { quote } from "./describe-value.ts";
import { instanceId } from "./instance-table.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanOutline } from "./plan-outline.ts";
import type { PlanVariables } from "./plan-variables.ts";

const REFERENCE = /\$\{[^{}]*\}/;

/** A phase that a condition names: a row of the phase table, and one of its instances where the name says which. */
export interface NamedPhase {
  readonly row: number;
  readonly position: number | undefined;
}

/** Finds the phase or the instance that has an id. */
export function findNamed(name: string, { table, instances }: PlanOutline): NamedPhase | undefined {
  const row = table.findRow(name);
  if (row !== undefined) return { row, position: undefined };
  const phaseId = name.slice(0, Math.max(0, name.indexOf("[")));
  const owner = table.findRow(phaseId);
  if (owner === undefined) return undefined;
  const position = (instances.points(owner) ?? []).findIndex((point) => instanceId(phaseId, point) === name);
  return position < 0 ? undefined : { row: owner, position };
}

/** Reports conditions that cannot be evaluated, and those that look at what is not there yet. */
export function checkConditions(outline: PlanOutline, variables: PlanVariables, draft: PlanDraft): void {
  const check = new ConditionCheck(outline, variables, draft);
  for (const row of outline.table.phases.keys()) check.check(row);
  checkUpstream(check.needs, outline, draft);
}

class ConditionCheck {
  readonly needs: UpstreamNeed[] = [];
  readonly #outline: PlanOutline;
  readonly #variables: PlanVariables;
  readonly #draft: PlanDraft;

  constructor(outline: PlanOutline, variables: PlanVariables, draft: PlanDraft) {
    this.#outline = outline;
    this.#variables = variables;
    this.#draft = draft;
  }

  check(row: number): void {
    const phase = this.#outline.table.phases[row];
    if (phase?.condition === undefined) return;
    const reference = REFERENCE.exec(phase.condition);
    if (reference !== null) {
      const name = reference[0].slice(2, -1);
      const hint = name.startsWith("matrix.") ? `write ${name}` : `write vars.${name}`;
      this.#add(phase, reference.index, `${reference[0]} is not replaced here`, hint);
      return;
    }
    const read = readCondition(phase.condition);
    if (!read.ok) this.#add(phase, read.start, read.why, hintOnDashes(phase.condition, this.#outline));
    else for (const one of read.references) this.#checkReference(row, phase, one);
  }

  #checkReference(row: number, phase: DeclaredPhase, reference: ConditionReference): void {
    if (isPhaseRoot(reference.root)) this.#checkPhase(row, phase, reference);
    else if (reference.root === "vars") this.#checkVariable(phase, reference);
    else this.#checkDimension(phase, reference);
  }

  #checkVariable(phase: DeclaredPhase, { name, start, isGuarded }: ConditionReference): void {
    const path = ["phases", phase.index, "condition"];
    if (name === undefined) this.#variables.useAll(path);
    else if (this.#variables.has(name)) this.#variables.use(name, path);
    else if (!isGuarded) this.#add(phase, start, `no variable is called ${quote(name)}`, this.#variables.hint(name));
  }

  #checkDimension(phase: DeclaredPhase, { name, start, isGuarded }: ConditionReference): void {
    const dimensions = phase.matrix?.dimensions ?? [];
    if (name === undefined || isGuarded || dimensions.includes(name)) return;
    const what = phase.matrix === undefined ? "the phase has no matrix" : `the matrix has no dimension ${quote(name)}`;
    this.#add(phase, start, what, new NameSuggester(dimensions).hint(name));
  }

  #checkPhase(row: number, phase: DeclaredPhase, { root, name, start }: ConditionReference): void {
    if (name === undefined) {
      this.#add(phase, start, `${root} must be followed by the id of a phase`, `write ${root}.some_phase`);
      return;
    }
    const named = findNamed(name, this.#outline);
    if (named === undefined) {
      const isExcluded = this.#draft.excluded.phases.has(name.replace(/\[.*$/s, ""));
      const what = isExcluded ? `the phase ${quote(name)} is excluded` : `no phase is called ${quote(name)}`;
      const hint = isExcluded ? "exclude this phase too" : this.#outline.table.suggester.hint(name);
      this.#add(phase, start, what, hint);
      return;
    }
    if (named.position === undefined) this.#checkIsOne(row, named.row, phase, { root, start });
    this.needs.push({
      row,
      provider: named.row,
      position: named.position,
      code: "BAD_CONDITION",
      path: ["phases", phase.index, "condition"],
      near: { text: phase.condition ?? "", offset: start },
      verb: `looks at ${root}.${name} in its condition`,
      relation: "",
    });
  }

  /** The name of a phase with a matrix stands for the instance that belongs to the one that asks. */
  #checkIsOne(
    row: number,
    source: number,
    phase: DeclaredPhase,
    { root, start }: { root: string; start: number },
  ): void {
    const { instances } = this.#outline;
    for (const point of instances.points(row) ?? []) {
      const sources = instances.sources(row, point, source);
      if (sources.length === 1 || instances.points(source) === undefined) continue;
      const name = this.#outline.table.phases[source]?.id ?? "";
      const what = `${root}.${name} stands for ${sources.length === 0 ? "no instance" : `${sources.length} instances`}`;
      const example = this.#outline.instanceName(source, sources[0] ?? 0);
      this.#add(phase, start, what, `name the one you mean, as in ${root}[${JSON.stringify(example)}]`);
      return;
    }
  }

  #add(phase: DeclaredPhase, offset: number, what: string, hint: string | undefined): void {
    const path = ["phases", phase.index, "condition"];
    const message = `${this.#draft.prefix(path)}condition is wrong: ${what}`;
    const near = { text: phase.condition ?? "", offset };
    this.#draft.add({ code: "BAD_CONDITION", message, path, near, hint });
  }
}

/** `phases.my-phase` is a subtraction. */
function hintOnDashes(condition: string, { table }: PlanOutline): string | undefined {
  const id = table.phases
    .map((phase) => phase.id ?? "")
    .find(
      (name) => /[.-]/.test(name) && (condition.includes(`phases.${name}`) || condition.includes(`outputs.${name}`)),
    );
  return id === undefined ? undefined : `write phases[${JSON.stringify(id)}]: the id is no plain name`;
}
