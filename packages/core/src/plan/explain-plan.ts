import type { CompiledDependency, CompiledPhase, CompiledPlan, PhaseRecord, RunRecord, Work } from "@fanfold/schemas";
import { decide } from "../run/decide.ts";
import { initialRunState, type PlannedRun } from "../run/run-state.ts";
import { countShards, type ShardForecast } from "./count-shards.ts";
import { PlanGraph } from "./plan-graph.ts";
import type { LeftOutReason } from "./plan-selection.ts";

/**
 * What would become of a phase. `conditional`: it starts if its condition holds, or if another one fails. `skipped`,
 * `fails`: so much is clear before anything has run.
 */
export type PhaseVerdict = "runs" | "conditional" | "left_out" | "blocked" | "skipped" | "fails";

/** What would happen to one phase of a plan. Serialised as it is. */
export interface PhaseExplanation {
  readonly phase: string;
  readonly template: string;
  readonly name: string;
  readonly matrix: Readonly<Record<string, string>>;
  /** Phases that come before it on the longest way to it; no barrier, only an order. */
  readonly level: number;
  readonly verdict: PhaseVerdict;
  /** Why it does not simply run; null when it does. */
  readonly why: string | null;
  /** Its work in one line. */
  readonly work: string;
  readonly depends_on: readonly CompiledDependency[];
  readonly condition: string | null;
  readonly shards: ShardForecast;
  readonly merge: string;
  readonly pool: string;
  readonly max_parallel: number | null;
  readonly retry: CompiledPhase["retry"];
  readonly timeout_sec: number;
  /** Whether a person is waited for, and for how long at most. */
  readonly approval: { readonly message: string | null; readonly within_sec: number | null } | null;
  readonly on_failure: CompiledPhase["on_failure"];
  readonly critical: boolean;
  readonly max_failed_shards: CompiledPhase["max_failed_shards"];
  readonly max_consecutive_failures: number | null;
  readonly concurrency_key: CompiledPhase["concurrency_key"];
  readonly priority: number;
  readonly lock: CompiledPhase["lock"];
  readonly consumes: CompiledPhase["consumes"];
  readonly provides: readonly string[];
}

/** What a run of a plan would do, as far as it can be told before. Serialised as it is. */
export interface PlanExplanation {
  readonly plan_id: string;
  readonly version: string;
  readonly max_concurrency: number | null;
  readonly timeout_sec: number | null;
  readonly cost_budget_usd: number | null;
  readonly cancellation: CompiledPlan["cancellation"];
  readonly counts: Readonly<Record<PhaseVerdict, number>>;
  /** In an order in which they could start. */
  readonly phases: readonly PhaseExplanation[];
}

const LEFT_OUT_TEXTS: Readonly<Record<LeftOutReason, string>> = {
  disabled: "disabled in the plan",
  only: "not among the selected phases",
  skip: "skipped by the selection",
  from: "does not follow the phases to start from",
  to: "is not needed by the phases to stop at",
};

/**
 * Says what a run of a plan would do, without starting anything. Takes it that nothing of the plan has an output yet.
 *
 * @param leftOut why phases take no part, where that is known
 */
export function explainPlan(
  plan: CompiledPlan,
  leftOut: ReadonlyMap<string, LeftOutReason> = new Map(),
): PlanExplanation {
  const graph = new PlanGraph(plan);
  const order = startOrder(graph);
  const explained = new Map<string, PhaseExplanation>();
  const phasesAtStart = decideStart({ plan, graph });
  const around = { explained, leftOut, record: (id: string) => phasesAtStart.get(id) };
  for (const [id, level] of order) explained.set(id, explainPhase(graph.phase(id), level, around));
  const phases = [...explained.values()];
  const count = (verdict: PhaseVerdict): number => phases.filter((phase) => phase.verdict === verdict).length;
  const { plan_id, version, max_concurrency, timeout_sec, cost_budget_usd, cancellation } = plan;
  const counts = {
    runs: count("runs"),
    conditional: count("conditional"),
    left_out: count("left_out"),
    blocked: count("blocked"),
    skipped: count("skipped"),
    fails: count("fails"),
  };
  return { plan_id, version, max_concurrency, timeout_sec, cost_budget_usd, cancellation, counts, phases };
}

/** What the start of a run would decide: records of the phases that it moves. */
function decideStart(planned: PlannedRun): ReadonlyMap<string, PhaseRecord> {
  const run: RunRecord = {
    run_id: "explained",
    plan_id: planned.plan.plan_id,
    plan_version: planned.plan.version,
    status: "queued",
    version: 0,
    stop: null,
    stop_phase: null,
    stop_kills: false,
    paused: false,
    cascades: false,
    tolerated_failures: 0,
    plan_revision: 0,
    turn: 0,
    created_at_ms: 0,
    started_at_ms: null,
    finished_at_ms: null,
  };
  return decide(initialRunState(planned, run), { type: "start" }, 0).phases;
}

/** Phases with the length of the longest way to them, by that length, then in declaration order. */
function startOrder(graph: PlanGraph): [string, number][] {
  const levels = new Map<string, number>();
  const open = new Map(graph.ids.map((id) => [id, graph.phase(id).depends_on.length]));
  const ready = graph.ids.filter((id) => open.get(id) === 0);
  for (const id of ready) {
    const before = graph.phase(id).depends_on.map(({ phase }) => (levels.get(phase) ?? 0) + 1);
    levels.set(
      id,
      before.reduce((longest, level) => Math.max(longest, level), 0),
    );
    for (const { phase } of graph.dependents(id)) {
      const left = (open.get(phase) ?? 0) - 1;
      open.set(phase, left);
      if (left === 0) ready.push(phase);
    }
  }
  return [...levels].sort(([a, left], [b, right]) => left - right || graph.index(a) - graph.index(b));
}

interface Surroundings {
  /** The phases before. */
  readonly explained: ReadonlyMap<string, PhaseExplanation>;
  readonly leftOut: ReadonlyMap<string, LeftOutReason>;
  /** What the start of the run makes of a phase; undefined where it leaves it pending. */
  readonly record: (id: string) => PhaseRecord | undefined;
}

function explainPhase(phase: CompiledPhase, level: number, around: Surroundings): PhaseExplanation {
  const { template, name, matrix, depends_on, condition, pool, max_parallel, retry, timeout_sec } = phase;
  const { on_failure, critical, max_failed_shards, max_consecutive_failures, lock, consumes, provides } = phase;
  const { concurrency_key, priority } = phase;
  return {
    phase: phase.id,
    template,
    name,
    matrix,
    level,
    ...verdictOf(phase, around),
    work: describeWork(phase.work),
    depends_on,
    condition,
    shards: phase.work.kind === "approval" ? { count: 0, text: "none" } : countShards(phase),
    merge: phase.merge.strategy,
    pool,
    max_parallel,
    concurrency_key,
    priority,
    retry,
    timeout_sec,
    approval: approvalOf(phase),
    on_failure,
    critical,
    max_failed_shards,
    max_consecutive_failures,
    lock,
    consumes,
    provides,
  };
}

function approvalOf({ work, answer_within_sec }: CompiledPhase): PhaseExplanation["approval"] {
  return work.kind === "approval" ? { message: work.message, within_sec: answer_within_sec ?? null } : null;
}

interface Verdict {
  readonly verdict: PhaseVerdict;
  readonly why: string | null;
}

function verdictOf(phase: CompiledPhase, { explained, leftOut, record }: Surroundings): Verdict {
  if (!phase.takes_part) {
    const reason = leftOut.get(phase.id);
    return { verdict: "left_out", why: reason === undefined ? "takes no part in the run" : LEFT_OUT_TEXTS[reason] };
  }
  const has = (verdict: PhaseVerdict) => (edge: CompiledDependency) => explained.get(edge.phase)?.verdict === verdict;
  const missing = phase.depends_on.filter(({ kind }) => kind === "hard").filter(has("left_out"));
  if (missing.length > 0) {
    return {
      verdict: "blocked",
      why: `needs ${names(missing)}, which takes no part, unless there is an earlier output`,
    };
  }
  const atStart = verdictAtStart(phase, record(phase.id), explained);
  if (atStart !== undefined) return atStart;
  const failures = phase.depends_on.filter(({ when }) => when === "failure").filter((edge) => !has("fails")(edge));
  const doubtful = phase.depends_on.filter(({ when }) => when === "success").filter(has("conditional"));
  const ifs = [
    ...(failures.length > 0 ? [`${names(failures)} fails`] : []),
    ...(phase.condition === null ? [] : ["its condition holds"]),
    ...(doubtful.length > 0 ? [`${names(doubtful)} ${doubtful.length === 1 ? "has" : "have"} run`] : []),
  ];
  return ifs.length === 0 ? { verdict: "runs", why: null } : { verdict: "conditional", why: `if ${ifs.join(" and ")}` };
}

/** What is clear of a phase before anything has run; undefined when it may run. */
function verdictAtStart(
  { id, depends_on }: CompiledPhase,
  record: PhaseRecord | undefined,
  explained: ReadonlyMap<string, PhaseExplanation>,
): Verdict | undefined {
  if (record?.status === "failed") return { verdict: "fails", why: record.cause?.message ?? null };
  if (record?.status === "cancelled") {
    return { verdict: "skipped", why: `the failure of ${record.cause?.phase} ends the run` };
  }
  if (record?.status !== "skipped") return undefined;
  if (record.cause?.code === "condition_false" && record.cause.phase === id) {
    return { verdict: "skipped", why: "its condition is false" };
  }
  const stuck = depends_on.flatMap(({ phase, when }) => {
    const verdict = explained.get(phase)?.verdict;
    const why = when === "always" || verdict === undefined ? undefined : STUCK_TEXTS[verdict];
    return why === undefined ? [] : [`${phase}, which ${why}`];
  });
  return { verdict: "skipped", why: `needs ${stuck.join(", and ")}` };
}

/** Why nothing comes of a phase, as what follows "which". */
const STUCK_TEXTS: Partial<Record<PhaseVerdict, string>> = {
  blocked: "is blocked",
  skipped: "is skipped",
  fails: "fails",
  left_out: "takes no part",
};

function names(edges: readonly CompiledDependency[]): string {
  return edges.map(({ phase }) => phase).join(", ");
}

function describeWork(work: Work): string {
  if (work.kind === "approval") return work.message === null ? "approval" : `approval: ${work.message}`;
  if (work.kind === "handler") return `handler ${work.handler}`;
  const line = [work.command, ...work.args].map(quoteWord).join(" ");
  return work.shell ? `/bin/sh -c ${line}` : line;
}

/** A word as a shell would want it, so that one can see where it ends. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
