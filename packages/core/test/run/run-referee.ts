import type { CompiledPhase, DraftEvent, PhaseStatus, RunStatus } from "@fanfold/schemas";
import type { PlanGraph } from "../../src/plan/plan-graph.ts";
import { type Decision, phaseRecord, type RunState } from "../../src/run/run-state.ts";

/** Outcomes of a source that satisfy an edge, whatever the source's policy. */
const SATISFYING: Readonly<Record<CompiledPhase["depends_on"][number]["when"], readonly PhaseStatus[]>> = {
  success: ["succeeded"],
  failure: ["failed"],
  always: ["succeeded", "failed", "skipped", "cancelled", "blocked"],
};

/** Where each event of a phase may come from, and where it leads. */
const EVENT_MOVES: Readonly<Record<string, { from: readonly PhaseStatus[]; to: PhaseStatus }>> = {
  phase_succeeded: { from: ["running"], to: "succeeded" },
  // a condition that makes no sense fails a phase that has not run
  phase_failed: { from: ["running", "pending"], to: "failed" },
  phase_blocked: { from: ["pending"], to: "blocked" },
  phase_skipped: { from: ["pending"], to: "skipped" },
  phase_cancelled: { from: ["pending", "running"], to: "cancelled" },
};

/** Whether every dependency of a phase lets it start, by the words of the design and nothing of the sources. */
export function gatesHold(
  graph: PlanGraph,
  id: string,
  statusOf: (id: string) => PhaseStatus,
  isUsedAsItIs: (source: string) => boolean = () => false,
): boolean {
  return graph.phase(id).depends_on.every(({ phase, when, kind }) => {
    if (isUsedAsItIs(phase) && when !== "failure") return true;
    if (!graph.phase(phase).takes_part && statusOf(phase) === "skipped") return kind === "soft" || when === "always";
    const status = statusOf(phase);
    if (SATISFYING[when].includes(status)) return true;
    return when === "success" && status === "failed" && graph.phase(phase).on_failure === "continue";
  });
}

/** Whether a phase cannot do without one that takes no part. */
export function isBlocked(graph: PlanGraph, id: string): boolean {
  const phase = graph.phase(id);
  const lacks = phase.depends_on.some((edge) => edge.kind === "hard" && !graph.phase(edge.phase).takes_part);
  return phase.takes_part && lacks;
}

/** What a condition of the random plans says; `failed`: it makes no sense. */
export function conditionSays(
  graph: PlanGraph,
  id: string,
  statusOf: (id: string) => PhaseStatus,
): "true" | "false" | "failed" {
  const { condition } = graph.phase(id);
  if (condition === null || condition === "true") return "true";
  if (condition === "false") return "false";
  const source = /^phases\.(p\d+)\.status == "succeeded"$/.exec(condition)?.[1];
  if (source === undefined) return "failed";
  return statusOf(source) === "succeeded" ? "true" : "false";
}

/** How a run ends whose phases have ended so, by the words of the design. */
export function endOf({ graph, run, phases }: Pick<RunState, "graph" | "run" | "phases">): RunStatus {
  if (run.stop === "cancel") return "cancelled";
  for (const [id, { status }] of phases) {
    const { critical, on_failure } = graph.phase(id);
    const isHarmful = critical || on_failure !== "continue";
    if (status === "cancelled" || ((status === "failed" || status === "blocked") && isHarmful)) return "failed";
  }
  return "succeeded";
}

/**
 * Follows a run by its events and effects alone and compares with its records after each decision: they agree
 * only if each transition emitted exactly one event. Also holds every decision to the invariants of a run.
 */
export class RunReferee {
  readonly #graph: PlanGraph;
  readonly #phases: Map<string, PhaseStatus>;
  /** Phases that were opened at least once. */
  readonly #opened = new Set<string>();
  #run: "queued" | "running" | "over" = "queued";

  constructor(graph: PlanGraph) {
    this.#graph = graph;
    this.#phases = new Map(graph.ids.map((id) => [id, "pending"]));
  }

  /** Checks a decision and the state it led to. @throws {Error} naming the invariant that does not hold */
  watch(decision: Decision, after: RunState): void {
    decision.events.forEach((event, at) => this.#replay(event, at === decision.events.length - 1));
    // what asks a person is never opened: nothing of it goes on a queue
    for (const { event, phase } of decision.events) if (event === "phase_started") this.#start(phase, after);
    this.#replayEffects(decision, after);
    this.#compare(after);
  }

  #replay(event: DraftEvent, isLast: boolean): void {
    const { phase } = event;
    if (this.#run === "over" && event.event !== "run_reopened") fail(`${event.event} after the end of the run`);
    if (event.event.startsWith("run_")) return this.#replayRunEvent(event.event, isLast);
    if (event.event === "plan_aborted") return;
    if (phase === undefined) fail(`${event.event} names no phase`);
    const status = this.#status(phase);
    if (event.event === "phase_rerun") {
      if (status === "pending" || status === "running") fail(`phase_rerun ${phase} while ${status}`);
      this.#opened.delete(phase);
      this.#phases.set(phase, "pending");
      return;
    }
    if (event.event === "phase_reopened") {
      if (status === "pending" || status === "running" || status === "succeeded")
        fail(`phase_reopened ${phase} while ${status}`);
      const to = this.#opened.has(phase) ? "running" : "pending";
      if (event.data?.status !== to) fail(`phase_reopened ${phase} says ${JSON.stringify(event.data)}, not ${to}`);
      this.#phases.set(phase, to);
      return;
    }
    const move = EVENT_MOVES[event.event];
    if (move === undefined) return;
    if (!move.from.includes(status)) fail(`${event.event} ${phase} while ${status}`);
    this.#phases.set(phase, move.to);
  }

  #replayRunEvent(event: string, isLast: boolean): void {
    if (event === "run_started") {
      if (this.#run !== "queued") fail("run_started twice");
      this.#run = "running";
    } else if (event === "run_reopened") {
      if (this.#run !== "over") fail("run_reopened before the run's end");
      this.#run = "running";
    } else {
      if (!isLast) fail(`${event} is not the last event`);
      this.#run = "over";
    }
  }

  #replayEffects({ effects }: Decision, after: RunState): void {
    let last = -1;
    for (const effect of effects) {
      if (effect.kind === "open_phase") {
        const { phase } = effect;
        if (this.#graph.phase(phase).work.kind === "approval") fail(`open_phase ${phase}, which executes nothing`);
        this.#start(phase, after);
        if (this.#graph.index(phase) <= last) fail(`${phase} opened out of declaration order`);
        last = this.#graph.index(phase);
      }
      if (effect.kind === "stop_release" && after.run.stop === null) fail("stop_release of a run that goes on");
      if (effect.kind === "finish_run" && this.#run !== "over") fail("finish_run before the run's end");
    }
  }

  #start(phase: string | undefined, after: RunState): void {
    if (phase === undefined) fail("phase_started names no phase");
    if (this.#status(phase) !== "pending") fail(`${phase} opened while ${this.#status(phase)}`);
    if (after.run.stop !== null) fail(`${phase} opened in a stopped run`);
    const isUsedAsItIs = (source: string): boolean => takesNoPartIn(after, source, phase);
    if (!gatesHold(this.#graph, phase, (id) => phaseRecord(after, id).status, isUsedAsItIs))
      fail(`${phase} opened too early`);
    const says = conditionSays(this.#graph, phase, (id) => phaseRecord(after, id).status);
    if (says !== "true") fail(`${phase} opened though its condition says ${says}`);
    this.#phases.set(phase, "running");
    this.#opened.add(phase);
  }

  #compareApprovals(after: RunState): void {
    let asking = 0;
    for (const id of this.#graph.ids) {
      const record = phaseRecord(after, id);
      const isAsking = record.status === "running" && this.#graph.phase(id).work.kind === "approval";
      if (isAsking !== (record.asked !== undefined)) fail(`${id} is ${record.status}, and asked: ${!isAsking}`);
      if (isAsking && after.run.stop !== null) fail(`${id} asks in a stopped run`);
      if (isAsking) asking += 1;
    }
    if ((after.run.waiting_approvals ?? 0) !== asking) fail(`waiting_approvals is ${after.run.waiting_approvals}`);
  }

  #compare(after: RunState): void {
    this.#compareApprovals(after);
    let unfinished = 0;
    for (const id of this.#graph.ids) {
      const { status } = phaseRecord(after, id);
      if (status === "pending" || status === "running") unfinished += 1;
      if (status !== this.#status(id)) fail(`${id} is ${status}, its events say ${this.#status(id)}`);
      if (status === "pending" && after.run.stop !== null) fail(`${id} is pending in a stopped run`);
    }
    if (after.unfinished !== unfinished) fail(`unfinished is ${after.unfinished}, not ${unfinished}`);
    const { status } = after.run;
    const run = status === "queued" || status === "running" ? status : "over";
    if (run !== this.#run) fail(`the run is ${status}, its events say ${this.#run}`);
    if (run === "over" && unfinished > 0) fail(`the run is over with ${unfinished} phases to go`);
    if (run === "running" && unfinished === 0) fail("the run goes on with nothing to do");
    if (run === "over" && status !== endOf(after)) fail(`the run ended ${status}`);
  }

  #status(id: string): PhaseStatus {
    return this.#phases.get(id) ?? fail(`an event names the unknown phase ${id}`);
  }
}

/** Whether a phase that is run again uses what another one gave before, which is not run again with it. */
function takesNoPartIn(state: RunState, source: string, phase: string): boolean {
  const { status, revision, turn = 0, if_stale } = phaseRecord(state, source);
  if (status === "pending" || status === "running" || if_stale === true) return false;
  const isSoft = state.graph.phase(phase).depends_on.every((edge) => edge.phase !== source || edge.kind === "soft");
  return turn < (phaseRecord(state, phase).turn ?? 0) && (revision > 0 || isSoft);
}

function fail(message: string): never {
  throw new Error(message);
}
