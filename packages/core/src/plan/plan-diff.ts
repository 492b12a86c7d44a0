import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";

/**
 * Fields that say when, where and how often work runs, or what it is called, and not what comes out of it: a change of
 * these makes nothing out of date.
 */
const WITHOUT_EFFECT_ON_OUTPUT: ReadonlySet<string> = new Set<keyof CompiledPhase>([
  "name",
  "tags",
  "takes_part",
  "max_parallel",
  "concurrency_key",
  "pool",
  "priority",
  "retry",
  "timeout_sec",
  "answer_within_sec",
  "on_failure",
  "critical",
  "max_consecutive_failures",
  "max_failed_shards",
  "lock",
  "limits",
  "cost",
  "reuse",
  "spawn",
]);

/** How a plan differs from an earlier one. Maps and lists are in declaration order. */
export interface PlanDiff {
  /** Phases whose output may be another one now, new phases included, and what of them has changed. */
  readonly changed: ReadonlyMap<string, string>;
  /** Phases that only run in another way, and what of that has changed. */
  readonly rescheduled: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** Compares two compiled plans, phase by phase. */
export function diffPlans(before: CompiledPlan, after: CompiledPlan): PlanDiff {
  const old = new Map(before.phases.map((phase) => [phase.id, phase]));
  const general = listGeneral(before, after);
  const changed = new Map<string, string>();
  const rescheduled = new Map<string, string>();
  for (const phase of after.phases) {
    const was = old.get(phase.id);
    old.delete(phase.id);
    if (was === undefined) {
      changed.set(phase.id, "new");
      continue;
    }
    const own = [...listDifferent(was, phase), ...listCode(was, phase)];
    const fields = [...own, ...general, ...listVariables(phase, before, after)];
    const decisive = fields.filter((field) => !WITHOUT_EFFECT_ON_OUTPUT.has(field));
    if (decisive.length > 0) changed.set(phase.id, decisive.join(", "));
    else if (fields.length > 0) rescheduled.set(phase.id, fields.join(", "));
  }
  return { changed, rescheduled, removed: [...old.keys()] };
}

function listDifferent(a: object, b: object): string[] {
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  return [...new Set([...left.keys(), ...right.keys()])].filter((key) => !isSame(left.get(key), right.get(key)));
}

/** The files of the work, and what stands for them, where that is known of both. */
function listCode({ reuse: before }: CompiledPhase, { reuse: after }: CompiledPhase): string[] {
  if (before === undefined || after === undefined) return [];
  const key = before.key === after.key ? [] : ["cache.key"];
  if (before.version !== null || after.version !== null) {
    return before.version === after.version ? key : [...key, "cache.version"];
  }
  if (before.code === null || after.code === null) return key;
  return [...key, ...listDifferent(before.code, after.code).map((file) => `file ${file}`)];
}

/** What of the plan as a whole reaches every phase. */
function listGeneral(before: CompiledPlan, after: CompiledPlan): string[] {
  const fields = isSame(before.env, after.env) ? [] : ["globals.env"];
  return before.base_dir === after.base_dir ? fields : [...fields, "directory of the plan"];
}

/** Variables are put in when a plan is compiled; only a condition reads them later. */
function listVariables({ condition }: CompiledPhase, before: CompiledPlan, after: CompiledPlan): string[] {
  const reads = condition !== null && /\bvars\b/.test(condition);
  return reads && !isSame(before.variables, after.variables) ? ["variables"] : [];
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return listDifferent(a, b).length === 0;
}
