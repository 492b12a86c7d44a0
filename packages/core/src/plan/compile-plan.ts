import type { CompiledPlan, Plan } from "@fanfold/schemas";
import { checkArtifacts } from "./check-artifacts.ts";
import { checkDependencies } from "./check-dependencies.ts";
import { checkPhase } from "./check-phase.ts";
import { checkStructure } from "./check-structure.ts";
import { compilePhase } from "./compile-phase.ts";
import { readDeclaredPhases } from "./declared-phase.ts";
import { describeValue } from "./describe-value.ts";
import { parsePlanText, type PlanSource } from "./parse-plan-text.ts";
import { checkPhaseIds, PhaseTable } from "./phase-table.ts";
import { type PlanDocument, ValueDocument } from "./plan-document.ts";
import { PlanDraft } from "./plan-draft.ts";
import { isMap } from "./plan-path.ts";
import type { PlanProblem } from "./plan-problem.ts";
import { PlanVariables } from "./plan-variables.ts";
import { replaceStrings } from "./replace-strings.ts";

const DEFAULT_KILL_GRACE_SEC = 5;

/** What a caller decides about a plan. */
export interface CompileOptions {
  /** Values of variables, which win over the plan's defaults. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Directory of the plan relative to the workspace (default `.`). */
  readonly baseDir?: string;
  /** Makes a reference to an unknown variable an error. */
  readonly strict?: boolean;
}

/** A plan that is ready to run, or everything that is wrong with it. */
export type CompileResult =
  | { readonly ok: true; readonly plan: CompiledPlan; readonly warnings: PlanProblem[] }
  | { readonly ok: false; readonly problems: PlanProblem[] };

/** Reads, checks and compiles a plan from YAML or JSON text. All problems are reported at once, in the text's order. */
export function compilePlanText(source: PlanSource, options: CompileOptions = {}): CompileResult {
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
  if (!isMap(document.value)) return refuseOtherThanMap(document, problems);
  const draft = new PlanDraft(document, document.value, problems);
  const variables = new PlanVariables(draft, options.variables ?? {}, options.strict ?? false);
  const replaced = replaceStrings(draft.value, (text, path) => variables.replace(text, path));
  if (!replaced.ok) {
    draft.add({ code: "TOO_LARGE", message: replaced.message, path: replaced.path });
    return { ok: false, problems: draft.problems() };
  }
  draft.value = replaced.value;
  variables.reportUse();
  const plan = checkStructure(draft);
  checkMeaning(draft, options.baseDir ?? ".");
  return finish(draft, plan, variables, options);
}

function refuseOtherThanMap(document: PlanDocument, problems: readonly PlanProblem[]): CompileResult {
  const message = `a plan must be a map of keys such as plan_id and phases, not ${describeValue(document.value)}`;
  const place = { path: [], file: document.file, ...document.locate([], "value") };
  return { ok: false, problems: [...problems, { severity: "error", code: "NOT_A_MAP", message, ...place }] };
}

function checkMeaning(draft: PlanDraft, baseDir: string): void {
  const table = new PhaseTable(readDeclaredPhases(draft.value["phases"]));
  checkPhaseIds(table, draft);
  for (const phase of table.phases) checkPhase(phase, draft, baseDir);
  const dependencies = checkDependencies(table, draft);
  checkArtifacts(table, dependencies, draft);
}

function finish(
  draft: PlanDraft,
  plan: Plan | undefined,
  variables: PlanVariables,
  options: CompileOptions,
): CompileResult {
  const problems = draft.problems();
  const isValid = problems.every(({ severity }) => severity === "warning");
  if (plan === undefined || !isValid) return { ok: false, problems };
  return { ok: true, plan: buildPlan(plan, draft, variables, options.baseDir ?? "."), warnings: problems };
}

function buildPlan(plan: Plan, draft: PlanDraft, variables: PlanVariables, baseDir: string): CompiledPlan {
  const globals = plan.globals ?? {};
  return {
    schema_version: 1,
    plan_id: plan.plan_id,
    version: plan.version,
    description: plan.description ?? "",
    base_dir: baseDir,
    max_concurrency: globals.max_concurrency ?? (draft.listKey === "steps" ? 1 : null),
    kill_grace_sec: globals.kill_grace_sec ?? DEFAULT_KILL_GRACE_SEC,
    cancellation: globals.cancellation ?? "isolated",
    env: globals.env ?? {},
    variables: variables.values(),
    metadata: plan.metadata ?? {},
    phases: plan.phases.map((phase) => compilePhase(phase, globals)),
  };
}
