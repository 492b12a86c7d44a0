import type { CompiledDependency, PhaseRecord } from "@fanfold/schemas";
import { NameSuggester } from "../plan/name-suggester.ts";
import type { PlanGraph } from "../plan/plan-graph.ts";
import { awaitsApproval } from "./approval.ts";
import { phaseReadiness } from "./readiness.ts";
import { conditionDecided, victimsOf } from "./reopening.ts";
import { type RunState, phaseRecord } from "./run-state.ts";
import { currentInputs, findChangedInput } from "./staleness.ts";
import { isPhaseOver } from "./transitions.ts";

/**
 * How far a rerun goes. `phase`: the phases, and what did not run because of them. `only`: the phases alone.
 * `downstream`: everything that depends on them, too. `stale`: of that, what their new outputs make out of date.
 * `update`: whatever is out of date or missing, wherever it is.
 */
export type RerunReach = "phase" | "only" | "downstream" | "stale" | "update";

/** What somebody wants to run again. */
export interface RerunRequest {
  /** Ids of phases of the run; none for `update`. */
  readonly phases: readonly string[];
  readonly reach: RerunReach;
  /** Phases that the plan which comes with the request changes or adds, and what of them. */
  readonly changed: ReadonlyMap<string, string>;
}

/** A phase that a rerun concerns. `if_stale`: it runs only if what it was made from has changed by then. */
export interface RerunStep {
  readonly phase: string;
  readonly kind: "run" | "if_stale";
  readonly why: string;
}

/** Why a rerun cannot be done. */
export interface RerunProblem {
  readonly code: "UNKNOWN_PHASE" | "PHASE_RUNNING" | "MISSING_DEPENDENCY" | "RUN_CANCELLED" | "RUN_QUEUED";
  readonly phase: string | null;
  readonly message: string;
}

/** What a rerun would do. Steps and kept phases are in declaration order. */
export interface RerunPlan {
  readonly steps: readonly RerunStep[];
  /** Phases whose accepted output is used as it is. */
  readonly kept: readonly { readonly phase: string; readonly revision: number; readonly isStale: boolean }[];
  readonly problems: readonly RerunProblem[];
}

/** Decides what a rerun would run, and why, without starting anything. */
export function planRerun(state: RunState, request: RerunRequest): RerunPlan {
  const problems = checkRequest(state, request);
  const { steps } = new RerunPlanner(state, request);
  const inOrder = state.graph.ids.flatMap((id) => steps.get(id) ?? []);
  problems.push(...checkSteps(state, inOrder, new Set([...request.phases, ...request.changed.keys()])));
  const kept = state.graph.ids.flatMap((phase) => {
    const { revision, stale } = phaseRecord(state, phase);
    return steps.has(phase) || revision === 0 ? [] : [{ phase, revision, isStale: stale !== undefined }];
  });
  return { steps: inOrder, kept, problems };
}

class RerunPlanner {
  readonly steps = new Map<string, RerunStep>();
  readonly #state: RunState;
  readonly #graph: PlanGraph;

  constructor(state: RunState, { phases, reach, changed }: RerunRequest) {
    this.#state = state;
    this.#graph = state.graph;
    const asked = phases.filter((id) => this.#graph.has(id));
    for (const id of asked) this.#run(id, "asked for");
    for (const [id, what] of changed) {
      if (this.#graph.phase(id).takes_part) this.#run(id, `its definition has changed: ${what}`);
    }
    if (reach === "update") this.#addOutdated();
    const named = new Set([...asked, ...changed.keys()]);
    this.#prune(named);
    if (reach === "phase" || reach === "stale") for (const id of asked) this.#addVictims(id);
    if (reach === "downstream") this.#addDownstream(asked, "run");
    if (reach === "stale" || reach === "update") this.#addDownstream([...this.steps.keys()], "if_stale");
    else if (reach !== "only") this.#addDownstream([...changed.keys()], "if_stale");
    this.#prune(named);
  }

  /** What nobody asked for by name, and could not start, is left as it is; only what was cancelled is decided anew. */
  #prune(asked: ReadonlySet<string>): void {
    for (let count = -1; count !== this.steps.size; ) {
      count = this.steps.size;
      for (const [id, { kind }] of this.steps) {
        if (asked.has(id) || this.#record(id).status === "cancelled") continue;
        const isIdle = kind === "if_stale" && !this.#mayChange(id);
        if (isIdle || findLacking(this.#state, id, this.steps).length > 0) this.steps.delete(id);
      }
    }
  }

  /** Whether what a phase was made from has changed, or may change in this rerun. */
  #mayChange(id: string): boolean {
    if (this.#graph.inputs(id).some((input) => this.steps.has(input))) return true;
    const now = currentInputs(this.#graph, (of) => this.#record(of), id);
    return findChangedInput(this.#record(id).dependencies ?? [], now) !== undefined;
  }

  /** What is out of date, and what should have an output and has none. */
  #addOutdated(): void {
    for (const id of this.#graph.ids) {
      const record = this.#record(id);
      if (!this.#graph.phase(id).takes_part && record.turn === undefined) continue;
      if (record.status === "succeeded" && record.stale !== undefined) this.#mayRun(id, outdated(record));
      if (isPhaseOver(record.status) && record.status !== "succeeded" && !conditionDecided(id, record)) {
        if (record.cause?.code !== "not_selected") this.#run(id, missing(record));
      }
    }
  }

  #addVictims(culprit: string): void {
    for (const id of victimsOf(this.#graph, culprit, (of) => this.#record(of))) {
      this.#run(id, `it did not run because of ${culprit}`);
    }
    for (const id of this.#graph.ids) {
      const { cause } = this.#record(id);
      if (cause?.code === "missing_dependency" && cause.phase === culprit)
        this.#run(id, `it could not do without ${culprit}`);
    }
  }

  #addDownstream(sources: readonly string[], kind: RerunStep["kind"]): void {
    const seen = new Set(sources);
    for (const source of seen) {
      const below = [...this.#graph.consumers(source), ...this.#graph.conditionReaders(source)];
      for (const id of below) {
        if (seen.has(id)) continue;
        seen.add(id);
        const record = this.#record(id);
        if (record.cause?.code === "not_selected" && record.revision === 0) continue;
        if (kind === "run") this.#run(id, `it depends on ${source}`);
        else if (record.status === "succeeded") this.#mayRun(id, `it depends on ${source}`);
        else this.#run(id, missing(record));
      }
    }
  }

  /** What has not started yet runs anyway. */
  #run(id: string, why: string): void {
    // its spawner decides whether there is something left for it to do
    if (this.#graph.phase(id).spawned !== undefined) return;
    if (this.steps.get(id)?.kind === "run" || this.#record(id).status === "pending") return;
    this.steps.set(id, { phase: id, kind: "run", why });
  }

  #mayRun(id: string, why: string): void {
    if (!this.steps.has(id)) this.steps.set(id, { phase: id, kind: "if_stale", why });
  }

  #record(id: string): PhaseRecord {
    return phaseRecord(this.#state, id);
  }
}

function outdated({ stale }: PhaseRecord): string {
  return stale === undefined ? "" : `it is stale: ${stale.phase} r${stale.used} → r${stale.latest}`;
}

function missing({ status, cause }: PhaseRecord): string {
  const because = cause?.phase === undefined ? "" : ` because of ${cause.phase}`;
  if (status === "failed") return "it has failed";
  return `it was ${status}${because}`;
}

function checkRequest({ graph, run }: RunState, { phases, reach }: RerunRequest): RerunProblem[] {
  const problems: RerunProblem[] = [];
  if (run.stop === "cancel") {
    const message = `run ${run.run_id} was cancelled; submit its plan again`;
    return [{ code: "RUN_CANCELLED", phase: null, message }];
  }
  if (run.status === "queued" && reach !== "update") {
    problems.push({ code: "RUN_QUEUED", phase: null, message: `run ${run.run_id} has not started yet` });
  }
  for (const phase of phases) {
    const message = graph.has(phase) ? findSpawner(graph, phase) : unknown(graph, phase);
    if (message !== undefined) problems.push({ code: "UNKNOWN_PHASE", phase, message });
  }
  return problems;
}

function unknown(graph: PlanGraph, phase: string): string {
  const hint = new NameSuggester(graph.ids).hint(phase);
  return `the run has no phase ${phase}${hint === undefined ? "" : `; ${hint}`}`;
}

/** What was spawned is not run again by itself. */
function findSpawner(graph: PlanGraph, phase: string): string | undefined {
  const { spawned } = graph.phase(phase);
  return spawned === undefined ? undefined : `phase ${phase} was spawned; run ${spawned.phase} again, which spawned it`;
}

function checkSteps(state: RunState, steps: readonly RerunStep[], asked: ReadonlySet<string>): RerunProblem[] {
  const byPhase = new Map(steps.map((step) => [step.phase, step]));
  const problems: RerunProblem[] = [];
  for (const { phase, kind } of steps) {
    const record = phaseRecord(state, phase);
    if (record.status === "running" && kind === "run") {
      const what = awaitsApproval(record) ? "waits for an approval; give it" : "is running; wait for its end";
      const message = `phase ${phase} ${what}, or cancel it: fanfold cancel RUN --phase ${phase}`;
      problems.push({ code: "PHASE_RUNNING", phase, message });
    }
    if (kind === "run" && asked.has(phase)) problems.push(...findMissing(state, phase, byPhase));
  }
  return problems;
}

/** Prerequisites that are not part of the rerun and have no output it could use: because of them it would not start. */
function findMissing(state: RunState, id: string, steps: ReadonlyMap<string, RerunStep>): RerunProblem[] {
  const lacking = findLacking(state, id, steps);
  if (lacking.length === 0) return [];
  const names = lacking.map(({ phase }) => phase).join(", ");
  const isCleanup = lacking.every(({ when }) => when === "failure");
  const message = isCleanup
    ? `phase ${id} runs only after a failure of ${names}`
    : `phase ${id} needs ${names}, which ${lacking.length === 1 ? "has" : "have"} no output in this run`;
  return [{ code: "MISSING_DEPENDENCY", phase: id, message }];
}

function findLacking(state: RunState, id: string, steps: ReadonlyMap<string, RerunStep>): CompiledDependency[] {
  const turn = state.run.turn + 1;
  const record = (of: string): PhaseRecord => phaseRecord(state, of);
  const phase = state.graph.phase(id);
  return phase.depends_on.filter((edge) => {
    if (steps.has(edge.phase)) return false;
    const alone = { ...phase, depends_on: [edge] };
    return phaseReadiness(alone, { ...record(id), turn }, record, (of) => state.graph.phase(of)).kind === "never";
  });
}
