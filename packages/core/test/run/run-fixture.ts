import type {
  Artifact,
  Cause,
  CompiledPhase,
  CompiledPlan,
  DraftEvent,
  Effect,
  PhaseStatus,
  RunRecord,
} from "@fanfold/schemas";
import { PlanGraph } from "../../src/plan/plan-graph.ts";
import { decide } from "../../src/run/decide.ts";
import type { RerunReach } from "../../src/run/plan-rerun.ts";
import {
  applyDecision,
  type Decision,
  initialRunState,
  type PlannedRun,
  phaseRecord,
  type RunState,
  type Trigger,
} from "../../src/run/run-state.ts";

/** Outcome of a source that an edge asks for. */
export type When = CompiledPhase["depends_on"][number]["when"];

/** A phase as a test writes it: the sources it depends on, by `when`, and how it fails. */
export interface PhaseSketch {
  readonly after?: readonly string[];
  readonly afterFailure?: readonly string[];
  readonly afterEnd?: readonly string[];
  readonly onFailure?: CompiledPhase["on_failure"];
  readonly critical?: boolean;
  /** Sources that gate only if they take part. */
  readonly softAfter?: readonly string[];
  readonly takesPart?: boolean;
  readonly condition?: string;
  readonly matrix?: CompiledPhase["matrix"];
  readonly shard?: CompiledPhase["shard"];
  /** Name of the lock the phase holds. */
  readonly lock?: string;
  /** What a person is asked. */
  readonly approval?: string;
  /** Longest wait for the answer, in seconds. */
  readonly answerWithin?: number;
}

/** Settings of the whole plan that matter to its run. */
export type PlanSettings = Partial<Pick<CompiledPlan, "timeout_sec" | "cost_budget_usd" | "variables">>;

/** A phase about which only its edges and its failure policy matter. */
export function phaseOf(id: string, sketch: PhaseSketch): CompiledPhase {
  return {
    id,
    template: id,
    matrix: sketch.matrix ?? {},
    name: id,
    takes_part: sketch.takesPart ?? true,
    condition: sketch.condition ?? null,
    work:
      sketch.approval === undefined
        ? { kind: "handler", handler: "x" }
        : { kind: "approval", message: sketch.approval },
    ...(sketch.answerWithin === undefined ? {} : { answer_within_sec: sketch.answerWithin }),
    cwd: ".",
    env: {},
    depends_on: [
      ...edges("success", sketch.after),
      ...edges("failure", sketch.afterFailure),
      ...edges("always", sketch.afterEnd),
      ...edges("success", sketch.softAfter, "soft"),
    ],
    shard: sketch.shard ?? null,
    over_phase: null,
    merge: { strategy: "none" },
    max_parallel: null,
    concurrency_key: null,
    priority: 0,
    pool: "default",
    retry: {
      retries: 0,
      delay_sec: 1,
      backoff: "fixed",
      max_delay_sec: 300,
      jitter: 0,
      on_timeout: true,
      only_exit_codes: null,
      never_exit_codes: [],
    },
    timeout_sec: 60,
    on_failure: sketch.onFailure ?? "abort",
    critical: sketch.critical ?? true,
    max_consecutive_failures: null,
    max_failed_shards: { unit: "shards", value: 0 },
    lock: sketch.lock === undefined ? null : { name: sketch.lock, timeout_sec: null },
    cost: {},
    consumes: [],
    provides: [id],
    tags: [],
  };
}

function edges(
  when: When,
  sources: readonly string[] = [],
  kind: CompiledPhase["depends_on"][number]["kind"] = "hard",
): CompiledPhase["depends_on"] {
  return sources.map((phase) => ({ phase, kind, when }));
}

/** A plan of some phases, declared in this order, and its DAG. */
export function plannedOf(sketches: Readonly<Record<string, PhaseSketch>>, settings: PlanSettings = {}): PlannedRun {
  const plan: CompiledPlan = {
    schema_version: 1,
    plan_id: "plan",
    version: "1",
    description: "",
    base_dir: ".",
    max_concurrency: null,
    kill_grace_sec: 5,
    timeout_sec: null,
    cost_budget_usd: null,
    prices: {},
    cancellation: "isolated",
    env: {},
    variables: {},
    metadata: {},
    ...settings,
    phases: Object.entries(sketches).map(([id, sketch]) => phaseOf(id, sketch)),
  };
  return { plan, graph: new PlanGraph(plan) };
}

/** The DAG of some phases, declared in this order. */
export function graphOf(sketches: Readonly<Record<string, PhaseSketch>>): PlanGraph {
  return plannedOf(sketches).graph;
}

/** How a test's run differs from a plain one. */
export interface RunOptions extends PlanSettings {
  readonly cascades?: boolean;
}

/** The record of a run that was just submitted. */
export function queuedRun(cascades = false): RunRecord {
  return {
    run_id: "run",
    plan_id: "plan",
    plan_version: "1",
    status: "queued",
    version: 0,
    stop: null,
    stop_phase: null,
    stop_kills: false,
    paused: false,
    cascades,
    tolerated_failures: 0,
    plan_revision: 0,
    turn: 0,
    created_at_ms: 1_000,
    started_at_ms: null,
    finished_at_ms: null,
  };
}

/** An artifact by that name. @param content a letter or digit that its hash is made of */
export function artifactNamed(name: string, content = "0"): Artifact {
  return { name, sha256: content.repeat(64).slice(0, 64), size_bytes: 1 };
}

/** A run to which a test lets things happen; a clock that stands still unless the test moves it. */
export class TestRun {
  nowMs = 2_000;
  state: RunState;

  constructor(sketches: Readonly<Record<string, PhaseSketch>>, { cascades = false, ...settings }: RunOptions = {}) {
    this.state = initialRunState(plannedOf(sketches, settings), queuedRun(cascades));
  }

  /** A run that has been started. */
  static started(sketches: Readonly<Record<string, PhaseSketch>>, options?: RunOptions): TestRun {
    const run = new TestRun(sketches, options);
    run.start();
    return run;
  }

  /** Decides on a trigger and takes the decision over. */
  apply(trigger: Trigger): Decision {
    const decision = decide(this.state, trigger, this.nowMs);
    this.state = applyDecision(this.state, decision, this.state.run.version + 1);
    return decision;
  }

  start(): Decision {
    return this.apply({ type: "start" });
  }

  /** @param content stands for what the output is; the same content gives the same hash */
  succeed(phase: string, content?: string): Decision {
    const artifacts = content === undefined ? [] : [artifactNamed(phase, content)];
    return this.apply({ ...this.success(phase), artifacts });
  }

  rerun(phases: readonly string[], reach: RerunReach, unfinished: Readonly<Record<string, number>> = {}): Decision {
    const request = { phases, reach, changed: new Map<string, string>() };
    return this.apply({ type: "rerun", request, actor: "test", unfinished: new Map(Object.entries(unfinished)) });
  }

  fail(phase: string): Decision {
    return this.apply(this.failure(phase));
  }

  failShard(phase: string): Decision {
    return this.apply({ type: "shard_failed", ...this.ref(phase), why: "exit 1" });
  }

  drain(phase: string): Decision {
    return this.apply({ type: "phase_drained", ...this.ref(phase) });
  }

  cancel(): Decision {
    return this.apply({ type: "cancel", actor: "test" });
  }

  timeOut(atMs?: number): Decision {
    return this.apply({ type: "timeout", ...(atMs === undefined ? {} : { atMs }) });
  }

  spendBudget(costUsd: number): Decision {
    return this.apply({ type: "budget_spent", costUsd });
  }

  answer(phase: string, approved: boolean, comment = ""): Decision {
    const answer = { approved, comment, actor: "ana" };
    return this.apply({ type: "approve", ...this.ref(phase), answer, artifact: artifactNamed(phase) });
  }

  reopen(phase: string): Decision {
    return this.apply({ type: "reopen", phase, actor: "test" });
  }

  /** The trigger for the success of the revision in the making. */
  success(phase: string): Trigger & { type: "phase_succeeded" } {
    return { type: "phase_succeeded", ...this.ref(phase), artifacts: [], toleratedShards: 0 };
  }

  /** The trigger for a failure of the revision in the making. */
  failure(phase: string, cause: Cause = { code: "shards_failed", message: "exit 1" }): Trigger {
    return { type: "phase_failed", ...this.ref(phase), cause, failedShards: 1 };
  }

  /** The revision of a phase that is in the making. */
  ref(phase: string): { phase: string; revision: number } {
    return { phase, revision: phaseRecord(this.state, phase).revision + 1 };
  }

  /** `a:succeeded b:skipped`, in declaration order. */
  get statuses(): string {
    return this.state.graph.ids.map((id) => `${id}:${this.status(id)}`).join(" ");
  }

  status(phase: string): PhaseStatus {
    return phaseRecord(this.state, phase).status;
  }

  cause(phase: string): Cause | undefined {
    return phaseRecord(this.state, phase).cause;
  }
}

/** What a decision writes in the journal and asks for: `run_started, phase_skipped b, open_phase c.r1`. */
export function storyOf({ events, effects }: Decision): string {
  return [...events.map(eventText), ...effects.map(effectText)].join(", ");
}

function eventText({ event, phase }: DraftEvent): string {
  return phase === undefined ? event : `${event} ${phase}`;
}

/** `open_phase a.r1`, `stop_release kill`. */
export function effectText(effect: Effect): string {
  if ("phase" in effect) return `${effect.kind} ${effect.phase}.r${effect.revision}`;
  return effect.kind === "stop_release" && effect.kill ? `${effect.kind} kill` : effect.kind;
}
