import {
  type Collect,
  type CompiledDependency,
  type CompiledMerge,
  type CompiledPhase,
  DEFAULT_MAX_SPAWN_DEPTH,
  DEFAULT_MAX_SPAWNED,
  type Globals,
  type Phase,
  type RetryRule,
  type ReuseRule,
  type Work,
} from "@fanfold/schemas";
import { hasIndexReference } from "../shards/read-items.ts";
import { instanceId } from "./instance-table.ts";
import type { MatrixPoint } from "./matrix-points.ts";

const DEFAULT_TIMEOUT_SEC = 1800;
const DEFAULT_MAX_ITERATIONS = 10;
const DEFAULT_RETRY_DELAY_SEC = 1;
const DEFAULT_RETRY_MAX_DELAY_SEC = 300;

/** How an instance hangs together with those of other phases. */
export type PhaseLinks = Pick<CompiledPhase, "depends_on" | "over_phase" | "consumes" | "condition">;

/** Fills in every default of a valid phase, for one point of its matrix. */
export function compilePhase(phase: Phase, point: MatrixPoint, globals: Globals, links: PhaseLinks): CompiledPhase {
  const provides = phase.provides ?? [];
  const id = instanceId(phase.id, point);
  return {
    id,
    template: phase.id,
    matrix: { ...point },
    name: phase.name ?? id,
    takes_part: phase.enabled ?? true,
    work: compileWork(phase),
    cwd: phase.cwd ?? ".",
    env: { ...phase.env, ...matrixEnv(point) },
    ...compilePrompt(phase),
    ...compileRepeat(phase),
    ...compileCut(phase),
    merge: compileMerge(phase),
    max_parallel: phase.max_parallel ?? null,
    concurrency_key: compileConcurrencyKey(phase.concurrency_key),
    priority: phase.priority ?? globals.priority ?? 0,
    pool: phase.pool ?? "default",
    retry: compileRetry(phase, globals),
    timeout_sec: phase.timeout_sec ?? globals.default_timeout_sec ?? DEFAULT_TIMEOUT_SEC,
    ...compileWait(phase),
    on_failure: phase.on_failure ?? "abort",
    critical: phase.critical ?? true,
    max_consecutive_failures: phase.max_consecutive_failures ?? null,
    max_failed_shards: compileTolerance(phase.max_failed_shards ?? 0),
    lock: compileLock(phase.lock),
    ...(phase.limits === undefined ? {} : { limits: phase.limits }),
    cost: phase.cost ?? {},
    ...compileReuse(usesIndex(phase) ? false : phase.cache),
    ...(phase.collect === undefined ? {} : { collect: compileCollect(phase.collect) }),
    provides: provides.length > 0 ? provides : [phase.id],
    tags: phase.tags ?? [],
    ...compileSpawn(phase),
    ...links,
  };
}

/** A dependency in its long form. */
export function compileDependency(dependency: NonNullable<Phase["depends_on"]>[number]): CompiledDependency {
  if (typeof dependency === "string") return { phase: dependency, kind: "hard", when: "success" };
  const { phase, kind, when } = dependency;
  return { phase, kind, when: when === "completed" ? "always" : when };
}

/** Share of failed shards that a text such as `5%` stands for; may be more than 1. */
export function readShare(percentage: string): number {
  return Number(percentage.replace(/%$/, "")) / 100;
}

function matrixEnv(point: MatrixPoint): Record<string, string> {
  const entries = Object.entries(point);
  return Object.fromEntries(entries.map(([dimension, value]) => [`FANFOLD_MATRIX_${dimension.toUpperCase()}`, value]));
}

function compileWork({ handler, approval, command = "", args = [], shell = false }: Phase): Work {
  if (approval !== undefined) {
    const message = typeof approval === "string" ? approval : approval.message;
    return { kind: "approval", message: message ?? null };
  }
  return handler === undefined ? { kind: "command", command, args, shell } : { kind: "handler", handler };
}

/** A person is not hurried by what the plan allows its attempts. */
function compileWait({ approval, timeout_sec }: Phase): Pick<CompiledPhase, "answer_within_sec"> {
  return approval === undefined || timeout_sec === undefined ? {} : { answer_within_sec: timeout_sec };
}

function compilePrompt({ prompt, retry_strategy }: Phase): Pick<CompiledPhase, "prompt" | "retry_context"> {
  if (prompt === undefined) return {};
  if (retry_strategy?.include_context !== true) return { prompt };
  return { prompt, retry_context: { instruction: retry_strategy.context_instruction ?? null } };
}

function compileRepeat({ repeat_until, max_iterations }: Phase): Pick<CompiledPhase, "repeat"> {
  if (repeat_until === undefined) return {};
  return { repeat: { until: repeat_until, max_iterations: max_iterations ?? DEFAULT_MAX_ITERATIONS } };
}

/** Items are records like others once they are read: one shard each. */
function compileCut({ shard, for_each }: Phase): Pick<CompiledPhase, "shard" | "for_each"> {
  if (for_each === undefined) return { shard: shard ?? null };
  const { artifact, format = "auto" } = typeof for_each === "string" ? { artifact: for_each } : for_each;
  return { shard: { strategy: "chunk", over: artifact, chunk_size: 1 }, for_each: { format } };
}

function compileMerge({ merge, shard, for_each }: Phase): CompiledMerge {
  if (merge === undefined && for_each !== undefined) return { strategy: "concat" };
  if (merge === undefined && shard === undefined) return { strategy: "none" };
  const { strategy = "records", key = [], on_duplicate = "error", complete = false } = merge ?? {};
  switch (strategy) {
    case "records":
      return { strategy, key: [key].flat(), on_duplicate, complete };
    case "object":
      return { strategy, on_duplicate };
    case "command":
      return { strategy, command: merge?.command ?? "", args: merge?.args ?? [] };
    case "handler":
      return { strategy, handler: merge?.handler ?? "" };
    case "concat":
    case "array":
      return { strategy };
    default:
      return strategy satisfies never;
  }
}

function compileRetry(phase: Phase, globals: Globals): RetryRule {
  return {
    retries: phase.retries ?? globals.default_retries ?? 0,
    delay_sec: phase.retry_delay_sec ?? DEFAULT_RETRY_DELAY_SEC,
    backoff: phase.retry_backoff ?? "fixed",
    max_delay_sec: phase.retry_max_delay_sec ?? DEFAULT_RETRY_MAX_DELAY_SEC,
    jitter: phase.retry_jitter ?? 0,
    on_timeout: phase.retry_on_timeout ?? true,
    only_exit_codes: phase.retry_on_exit_codes ?? null,
    never_exit_codes: phase.non_retryable_exit_codes ?? [],
  };
}

function compileSpawn({ spawnable, max_spawn_depth, max_spawned }: Phase): Pick<CompiledPhase, "spawn"> {
  if (spawnable === undefined && max_spawn_depth === undefined && max_spawned === undefined) return {};
  const max_depth = max_spawn_depth ?? DEFAULT_MAX_SPAWN_DEPTH;
  return { spawn: { spawnable: spawnable ?? false, max_depth, max_spawned: max_spawned ?? DEFAULT_MAX_SPAWNED } };
}

function compileTolerance(tolerance: number | string): CompiledPhase["max_failed_shards"] {
  return typeof tolerance === "number"
    ? { unit: "shards", value: tolerance }
    : { unit: "share", value: readShare(tolerance) };
}

/** Nothing is known of the files of the work yet: whoever submits the plan may have them. */
/** Whether its work differs from item to item by more than the item: fingerprints know nothing of places. */
function usesIndex({ for_each, command, args, env, cwd, prompt }: Phase): boolean {
  return for_each !== undefined && hasIndexReference(JSON.stringify([command, args, env, cwd, prompt]));
}

function compileReuse(cache: Phase["cache"]): { reuse?: ReuseRule } {
  if (cache === undefined || cache === false) return {};
  const { ttl_days = null, key = "", version = null } = cache === true ? {} : cache;
  return { reuse: { ttl_days, key, version, code: null, refresh: false } };
}

function compileCollect(collect: Collect): NonNullable<CompiledPhase["collect"]> {
  const rules = [collect].flat();
  return {
    stdout_final: rules.includes("stdout_final"),
    git_diff: rules.includes("git_diff"),
    files: rules.flatMap((rule) => (typeof rule === "string" ? [] : rule.files)),
  };
}

function compileLock(lock: Phase["lock"]): CompiledPhase["lock"] {
  if (lock === undefined) return null;
  return typeof lock === "string"
    ? { name: lock, timeout_sec: null }
    : { name: lock.name, timeout_sec: lock.timeout_sec ?? null };
}

function compileConcurrencyKey(key: Phase["concurrency_key"]): CompiledPhase["concurrency_key"] {
  if (key === undefined) return null;
  return typeof key === "string" ? { name: key, limit: 1 } : { name: key.name, limit: key.limit ?? 1 };
}
