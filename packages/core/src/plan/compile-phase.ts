import type {
  CompiledDependency,
  CompiledMerge,
  CompiledPhase,
  Globals,
  Phase,
  RetryRule,
  Work,
} from "@fanfold/schemas";

const DEFAULT_TIMEOUT_SEC = 1800;
const DEFAULT_RETRY_DELAY_SEC = 1;
const DEFAULT_RETRY_MAX_DELAY_SEC = 300;

/** Fills in every default of a valid phase. */
export function compilePhase(phase: Phase, globals: Globals): CompiledPhase {
  const provides = phase.provides ?? [];
  return {
    id: phase.id,
    name: phase.name ?? phase.id,
    work: compileWork(phase),
    cwd: phase.cwd ?? ".",
    env: phase.env ?? {},
    depends_on: (phase.depends_on ?? []).map(compileDependency),
    shard: phase.shard ?? null,
    merge: compileMerge(phase),
    max_parallel: phase.max_parallel ?? null,
    pool: phase.pool ?? "default",
    retry: compileRetry(phase, globals),
    timeout_sec: phase.timeout_sec ?? globals.default_timeout_sec ?? DEFAULT_TIMEOUT_SEC,
    on_failure: phase.on_failure ?? "abort",
    critical: phase.critical ?? true,
    consumes: phase.consumes ?? [],
    provides: provides.length > 0 ? provides : [phase.id],
    tags: phase.tags ?? [],
  };
}

function compileWork({ handler, command = "", args = [], shell = false }: Phase): Work {
  return handler === undefined ? { kind: "command", command, args, shell } : { kind: "handler", handler };
}

function compileDependency(dependency: NonNullable<Phase["depends_on"]>[number]): CompiledDependency {
  if (typeof dependency === "string") return { phase: dependency, kind: "hard", when: "success" };
  const { phase, kind, when } = dependency;
  return { phase, kind, when: when === "completed" ? "always" : when };
}

function compileMerge({ merge, shard }: Phase): CompiledMerge {
  if (merge === undefined && shard === undefined) return { strategy: "none" };
  const { strategy = "records", key, on_duplicate, complete } = merge ?? {};
  if (strategy !== "records") return { strategy };
  return { strategy, key: key ?? null, on_duplicate: on_duplicate ?? "error", complete: complete ?? false };
}

function compileRetry(phase: Phase, globals: Globals): RetryRule {
  return {
    retries: phase.retries ?? globals.default_retries ?? 0,
    delay_sec: phase.retry_delay_sec ?? DEFAULT_RETRY_DELAY_SEC,
    backoff: phase.retry_backoff ?? "fixed",
    max_delay_sec: phase.retry_max_delay_sec ?? DEFAULT_RETRY_MAX_DELAY_SEC,
    jitter: phase.retry_jitter ?? 0,
  };
}
