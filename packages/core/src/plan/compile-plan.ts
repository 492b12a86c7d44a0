import type { CompiledPhase, CompiledPlan, Plan, PlanSource } from "@fanfold/schemas";
import { checkArtifacts } from "./check-artifacts.ts";
import { checkConditions } from "./check-conditions.ts";
import { CredentialCheck } from "./check-credentials.ts";
import { checkDependencies } from "./check-dependencies.ts";
import { checkMatrices } from "./check-matrix.ts";
import { checkPhase } from "./check-phase.ts";
import { checkReachable } from "./check-reachable.ts";
import { checkSelection } from "./check-selection.ts";
import { checkStructure } from "./check-structure.ts";
import { readDeclaredPhases } from "./declared-phase.ts";
import { describeValue } from "./describe-value.ts";
import { expandPhases } from "./expand-phases.ts";
import { InstanceTable } from "./instance-table.ts";
import type { MatrixPoint } from "./matrix-points.ts";
import { NameSuggester } from "./name-suggester.ts";
import { parsePlanText, type PlanSource as PlanText } from "./parse-plan-text.ts";
import { checkPhaseIds, PhaseTable } from "./phase-table.ts";
import { type PlanDocument, ValueDocument } from "./plan-document.ts";
import { PlanDraft } from "./plan-draft.ts";
import { PlanOutline } from "./plan-outline.ts";
import { findValue, isMap } from "./plan-path.ts";
import type { PlanPath, PlanProblem } from "./plan-problem.ts";
import { type LeftOutReason, type PlanSelection, selectPhases } from "./plan-selection.ts";
import { PlanVariables } from "./plan-variables.ts";
import { ReferenceReplacer, replaceForInstance } from "./replace-references.ts";
import { replaceStrings } from "./replace-strings.ts";

const DEFAULT_KILL_GRACE_SEC = 5;

/** What a caller decides about a plan. */
export interface CompileOptions {
  /** Values of variables, which win over the plan's defaults. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Directory of the plan relative to the workspace (default `.`). */
  readonly baseDir?: string;
  /** Makes every warning an error. */
  readonly strict?: boolean;
  /** What of the plan is to run (default: all that is enabled). */
  readonly selection?: PlanSelection;
}

/** A plan that is ready to run, or everything that is wrong with it. */
export type CompileResult =
  | {
      readonly ok: true;
      readonly plan: CompiledPlan;
      /** What it was compiled from: a rerun with other variables compiles it again. */
      readonly source: PlanSource;
      readonly warnings: PlanProblem[];
      /** Phases that take no part, and why. */
      readonly leftOut: ReadonlyMap<string, LeftOutReason>;
    }
  | { readonly ok: false; readonly problems: PlanProblem[] };

/** Reads, checks and compiles a plan from YAML or JSON text. All problems are reported at once, in the text's order. */
export function compilePlanText(source: PlanText, options: CompileOptions = {}): CompileResult {
  const { document, problems } = parsePlanText(source);
  return document === undefined ? { ok: false, problems } : compileDocument(document, problems, options);
}

/**
 * Checks and compiles a plan that is data already: written in TypeScript, or sent as JSON. The checks are those of
 * {@link compilePlanText}; problems have a path instead of a position.
 */
export function compilePlanValue(value: unknown, options: CompileOptions = {}): CompileResult {
  return compileDocument(new ValueDocument(value), [], options);
}

function compileDocument(
  document: PlanDocument,
  problems: readonly PlanProblem[],
  options: CompileOptions,
): CompileResult {
  const draft = new PlanDraft(document, problems, options.strict ?? false);
  if (isMap(document.value)) return new PlanCompiler(draft, options).compile();
  const message = `a plan must be a map of keys such as plan_id and phases, not ${describeValue(document.value)}`;
  draft.add({ code: "NOT_A_MAP", message, path: [] });
  return { ok: false, problems: draft.problems() };
}

/** One compilation: its steps share the plan as it was written, its variables and its draft. */
class PlanCompiler {
  readonly #draft: PlanDraft;
  readonly #options: CompileOptions;
  readonly #variables: PlanVariables;
  /** The plan before anything in it was replaced. */
  readonly #authored: Record<string, unknown>;

  constructor(draft: PlanDraft, options: CompileOptions) {
    this.#draft = draft;
    this.#options = options;
    this.#authored = draft.value;
    this.#variables = new PlanVariables(draft, options.variables ?? {});
  }

  compile(): CompileResult {
    const draft = this.#draft;
    const credentials = new CredentialCheck(draft);
    const references = new ReferenceReplacer(draft, this.#variables);
    const replaced = replaceStrings(this.#authored, (text, path) => {
      credentials.checkText(text, path);
      return references.replace(text, path);
    });
    if (!replaced.ok) {
      draft.add({ code: "TOO_LARGE", message: replaced.message, path: replaced.path });
      return { ok: false, problems: draft.problems() };
    }
    credentials.checkNames(this.#authored, this.#options.variables ?? {});
    const table = new PhaseTable(readDeclaredPhases(replaced.value["phases"]));
    references.checkMatrixReferences(matricesOf(table));
    draft.value = this.#withFirstPoints(replaced.value, table);
    const plan = checkStructure(draft);
    const outline = this.#checkMeaning(table);
    return plan === undefined || draft.isBroken()
      ? { ok: false, problems: draft.problems() }
      : this.#build(plan, outline);
  }

  /** The plan with the strings of each phase that has a matrix as its first instance has them. */
  #withFirstPoints(replaced: Record<string, unknown>, table: PhaseTable): Record<string, unknown> {
    const { phases } = replaced;
    if (!Array.isArray(phases)) return replaced;
    const substituted: unknown[] = [...phases];
    for (const { index, matrix } of table.phases) {
      const [point] = matrix?.points ?? [];
      if (point !== undefined) substituted[index] = this.#ofInstance(index, point);
    }
    return { ...replaced, phases: substituted };
  }

  #ofInstance(index: number, point: MatrixPoint): unknown {
    const authored = findValue(this.#authored, ["phases", index]);
    return isMap(authored) ? replaceForInstance(authored, this.#variables, point) : authored;
  }

  #checkMeaning(table: PhaseTable): PlanOutline {
    const draft = this.#draft;
    checkPhaseIds(table, draft);
    for (const phase of table.phases) checkPhase(phase, draft, this.#options.baseDir ?? ".");
    const outline = new PlanOutline(table, checkDependencies(table, draft), new InstanceTable(table.phases));
    checkMatrices(outline, draft);
    checkArtifacts(outline, draft);
    checkConditions(outline, this.#variables, draft);
    checkSelection(this.#options.selection ?? {}, outline, draft);
    this.#variables.checkValues();
    this.#variables.reportUse();
    return outline;
  }

  #build(plan: Plan, outline: PlanOutline): CompileResult {
    const draft = this.#draft;
    checkPrices(plan, draft);
    const phases = expandPhases(plan, outline, (index, point) => this.#ofInstance(index, point), draft);
    const selection = this.#options.selection ?? {};
    const selected = selectPhases(phases, selection);
    const isSelection = Object.values(selection).some((part) => part !== undefined);
    if (isSelection && selected.phases.every(({ takes_part }) => !takes_part)) {
      const message = "nothing is left to run of this selection";
      draft.add({ code: "EMPTY_SELECTION", message, path: [], isOutside: true });
    }
    checkReachable(selected, outline, draft);
    const problems = draft.problems();
    if (problems.some(({ severity }) => severity === "error")) return { ok: false, problems };
    const compiled = this.#assemble(plan, selected.phases);
    const source = sourceOf(this.#authored, this.#options);
    return { ok: true, plan: compiled, source, warnings: problems, leftOut: selected.leftOut };
  }

  #assemble(plan: Plan, phases: CompiledPhase[]): CompiledPlan {
    const globals = plan.globals ?? {};
    return {
      schema_version: 1,
      plan_id: plan.plan_id,
      version: plan.version,
      description: plan.description ?? "",
      base_dir: this.#options.baseDir ?? ".",
      max_concurrency: globals.max_concurrency ?? (this.#draft.listKey === "steps" ? 1 : null),
      kill_grace_sec: globals.kill_grace_sec ?? DEFAULT_KILL_GRACE_SEC,
      timeout_sec: globals.timeout_sec ?? null,
      cost_budget_usd: globals.cost_budget_usd ?? null,
      prices: globals.prices ?? {},
      cancellation: globals.cancellation ?? "isolated",
      env: globals.env ?? {},
      variables: this.#variables.values(),
      metadata: plan.metadata ?? {},
      phases,
    };
  }
}

function sourceOf(document: Record<string, unknown>, { variables = {}, selection = {} }: CompileOptions): PlanSource {
  return { document, variables: { ...variables }, selection };
}

function matricesOf(table: PhaseTable) {
  return new Map(table.phases.flatMap(({ index, matrix }) => (matrix === undefined ? [] : [[index, matrix] as const])));
}

/** A model without a price leaves the cost of its phase unknown. */
function checkPrices({ phases, globals }: Plan, draft: PlanDraft): void {
  const known = Object.keys(globals?.prices ?? {});
  const suggester = new NameSuggester(known);
  for (const [index, { cost }] of phases.entries()) {
    if (cost?.model === undefined || known.includes(cost.model)) continue;
    const path: PlanPath = ["phases", index, "cost", "model"];
    const message = `${draft.prefix(path)}no price is known for the model "${cost.model}": its cost will be unknown`;
    const hint = suggester.hint(cost.model) ?? "add it to globals.prices";
    draft.add({ severity: "warning", code: "UNKNOWN_PRICE", message, path, hint });
  }
}
