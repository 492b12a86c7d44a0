import type { Effect } from "@fanfold/schemas";
import type { PlanGraph } from "../../src/plan/plan-graph.ts";
import { decide, decideTogether } from "../../src/run/decide.ts";
import { planRerun, type RerunReach } from "../../src/run/plan-rerun.ts";
import { conditionDecided, wasLeftOut } from "../../src/run/reopening.ts";
import { isBudgetSpent, reliedOnBudget } from "../../src/run/run-limits.ts";
import {
  applyDecision,
  type Decision,
  initialRunState,
  isEmptyDecision,
  phaseRecord,
  type RunState,
  type Trigger,
} from "../../src/run/run-state.ts";
import type { Fate, FatedPlan, Interventions } from "./fated-plan.ts";
import { artifactNamed, effectText, plannedOf, queuedRun, storyOf } from "./run-fixture.ts";
import { RunReferee } from "./run-referee.ts";
import { SimulatedApprovals } from "./simulated-approvals.ts";
import { type Shard, SimulatedEntry } from "./simulated-entry.ts";
import { contentOf, failedBeforeItsShards, isAtWork, isRetryable, resumeText, triggerText } from "./simulated-facts.ts";

/** Far more happenings than a small plan needs to end. */
const MOST_STEPS = 1_000;

/** Far more retries of everything than a small plan needs, even when each one fails once more by what was decided late. */
const MOST_ROUNDS = 30;

const REACHES = ["phase", "only", "downstream", "stale"] as const;

interface Happening {
  readonly name: string;
  readonly act: () => void;
}

/**
 * A run with an executor that is as small as it can be and as unruly as the real one: effects are carried out
 * late and in any order, what is decided on may have been read long before, and a retry by hand consists of
 * steps between which anything may happen. What happens next is the choice of the test.
 */
export class SimulatedRun {
  readonly trace: string[] = [];
  /** How often nothing was left to happen and only a sweep found more to do. */
  sweeps = 0;
  readonly #graph: PlanGraph;
  readonly #plan: FatedPlan;
  readonly #fates: Map<string, Fate>;
  readonly #referee: RunReferee;
  readonly #ledger = new Map<string, SimulatedEntry>();
  /** Ends of the run's time that were set, Unix ms. */
  readonly #timers: number[] = [];
  readonly #approvals = new SimulatedApprovals();
  readonly #outbox = new Map<string, Effect>();
  readonly #triggers: Trigger[] = [{ type: "start" }];
  readonly #reports = new Set<string>();
  readonly #hands: Happening[][] = [];
  #left: { retries: number; cancels: number; reruns: number };
  #state: RunState;
  #nowMs = 5_000;
  #costUsd = 0;
  #shardCostUsd = 1;
  #isHealing = false;

  constructor(plan: FatedPlan, interventions: Interventions) {
    this.#plan = plan;
    const limits = { timeout_sec: plan.hasTimeLimit ? 60 : null, cost_budget_usd: plan.budget };
    const planned = plannedOf(plan.phases, limits);
    this.#graph = planned.graph;
    this.#fates = new Map(Object.entries(plan.phases).map(([id, { fate }]) => [id, fate]));
    this.#referee = new RunReferee(this.#graph);
    this.#state = initialRunState(planned, queuedRun(plan.cascades));
    this.#left = { reruns: 0, ...interventions };
  }

  get state(): RunState {
    return this.#state;
  }

  /** Lets things happen until nothing more does: the choices pick, and after the last one the first of what is left. */
  play(choices: readonly number[]): void {
    for (let at = 0; ; at += 1) {
      const choice = choices[at];
      if (at > choices.length + MOST_STEPS) throw new Error("there is no end of happenings");
      const next = this.#happenings();
      if (choice !== undefined) next.push(...this.#interventions());
      if (next.length === 0 && !this.#sweep()) return;
      const happening = next[(choice ?? 0) % next.length];
      if (happening === undefined) continue;
      this.trace.push(happening.name);
      happening.act();
    }
  }

  /** Retries all that failed or was left out, as often as it takes; from now on everything goes well and is free. */
  heal(choices: readonly number[]): void {
    for (const id of this.#graph.ids) this.#fates.set(id, "succeeds");
    this.#left = { retries: 0, cancels: 0, reruns: 0 };
    this.#isHealing = true;
    this.#shardCostUsd = 0;
    for (let round = 0; ; round += 1) {
      const failed = this.#graph.ids.filter((id) => this.#isMendable(id));
      if (failed.length === 0) return;
      if (round > MOST_ROUNDS) throw new Error("retries do not help");
      for (const id of failed) this.#retry(id);
      this.play(choices);
    }
  }

  /** Does what is stale or missing, as often as it takes; from now on everything goes well and is free. */
  bringUpToDate(choices: readonly number[]): void {
    for (const id of this.#graph.ids) this.#fates.set(id, "succeeds");
    this.#left = { retries: 0, cancels: 0, reruns: 0 };
    this.#isHealing = true;
    this.#shardCostUsd = 0;
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const before = this.#state.run.turn;
      this.rerun([], "update");
      if (this.#state.run.turn === before) return;
      this.play(choices);
    }
  }

  /** Whether a retry can do it good: a condition that makes no sense makes none the next time. */
  #isMendable(id: string): boolean {
    const record = phaseRecord(this.#state, id);
    if (record.status === "failed") return !conditionDecided(id, record);
    return wasLeftOut(record);
  }

  #happenings(): Happening[] {
    const list: Happening[] = [];
    for (const [id, effect] of this.#outbox) {
      list.push({ name: `do ${id}`, act: () => this.#carryOut(id, effect) });
    }
    for (const [at, trigger] of this.#triggers.entries()) {
      list.push({ name: `decide ${triggerText(trigger)}`, act: () => this.#apply(this.#triggers.splice(at, 1)[0]) });
    }
    const ends = this.#triggers.filter(({ type }) => type === "phase_succeeded");
    if (ends.length > 1) {
      const name = `decide together ${ends.map(triggerText).join(", ")}`;
      list.push({ name, act: () => this.#applyTogether(ends) });
    }
    for (const [at, [step, ...rest]] of this.#hands.entries()) {
      if (step === undefined) continue;
      const act = (): void => {
        this.#hands.splice(at, 1, ...(rest.length === 0 ? [] : [rest]));
        step.act();
      };
      list.push({ name: step.name, act });
    }
    for (const phase of this.#reports) {
      list.push({ name: `report ${phase}`, act: () => this.#report(phase) });
    }
    for (const { name, trigger } of this.#approvals.answers(this.#state, (id) => this.#fates.get(id) === "succeeds")) {
      list.push({ name, act: () => this.#apply(trigger) });
    }
    for (const [phase, entry] of this.#ledger) {
      if (entry.fold === "due") list.push({ name: `fold ${phase}`, act: () => this.#fold(phase, entry) });
      list.push(...this.#shardHappenings(phase, entry));
    }
    return list;
  }

  #shardHappenings(phase: string, entry: SimulatedEntry): Happening[] {
    const list: Happening[] = [];
    const add = (shard: number, to: Shard): void => {
      list.push({ name: `${phase}[${shard}] ${to}`, act: () => this.#moveShard(phase, entry, shard, to) });
    };
    for (const [shard, status] of entry.shards.entries()) {
      const outcome = this.#fates.get(phase) === "shard_fails" && shard === 0 ? "failed" : "succeeded";
      if (status === "queued") add(shard, this.#isStopped() ? "cancelled" : "running");
      if (status === "running" || status === "dying") add(shard, outcome);
      if (status === "dying") add(shard, "cancelled");
    }
    return list;
  }

  #interventions(): Happening[] {
    const list: Happening[] = [];
    const { status, stop } = this.#state.run;
    for (const [at, atMs] of this.#timers.entries()) {
      list.push({ name: `time is up ${atMs}`, act: () => this.#timeIsUp(at) });
    }
    for (const { name, trigger } of this.#approvals.timeouts()) list.push({ name, act: () => this.#apply(trigger) });
    if (this.#left.cancels > 0) list.push({ name: "cancel", act: () => this.#cancel() });
    if (this.#left.reruns > 0) list.push(...this.#reruns());
    if (this.#left.retries === 0 || status === "queued" || stop === "cancel") return list;
    for (const phase of this.#graph.ids) {
      if (!this.#canRetry(phase)) continue;
      for (const fate of ["succeeds", "shard_fails"] as const) {
        list.push({ name: `retry ${phase}, ${fate}`, act: () => this.#retryByHand(phase, fate) });
      }
    }
    return list;
  }

  #reruns(): Happening[] {
    const wanted = this.#graph.ids.flatMap((id) => REACHES.map((reach) => ({ phases: [id], reach })));
    return [...wanted, { phases: [], reach: "update" as const }].map(({ phases, reach }) => {
      const act = (): void => {
        this.#left.reruns -= 1;
        this.rerun(phases, reach);
      };
      return { name: `rerun ${phases.join("")} ${reach}`, act };
    });
  }

  /** As the engine does it; refused while something is at work of a making that would be thrown away. */
  rerun(phases: readonly string[], reach: RerunReach): void {
    const { steps, problems } = planRerun(this.#state, { phases, reach, changed: new Map() });
    if (steps.length === 0 || problems.length > 0) return;
    const unfinished = new Map<string, number>();
    for (const [phase, { revision, shards }] of this.#ledger) {
      if (revision > phaseRecord(this.#state, phase).revision) unfinished.set(phase, shards.length);
    }
    const trigger: Trigger = {
      type: "rerun",
      request: { phases, reach, changed: new Map() },
      actor: "person",
      unfinished,
    };
    const { effects } = this.#decide(trigger);
    const discarded = effects.flatMap((effect) => (effect.kind === "discard_making" ? [effect.phase] : []));
    if (discarded.some((phase) => this.#ledger.get(phase)?.shards.some(isAtWork))) return;
    this.#apply(trigger);
    for (const phase of discarded) {
      this.#ledger.delete(phase);
      this.#reports.delete(phase);
      // they were read on an earlier version of the run
      const isLate = (late: Trigger): boolean => "phase" in late && late.phase === phase;
      for (const late of this.#triggers.filter(isLate)) this.#triggers.splice(this.#triggers.indexOf(late), 1);
    }
  }

  #timeIsUp(at: number): void {
    for (const atMs of this.#timers.splice(at, 1)) this.#apply({ type: "timeout", atMs });
  }

  #cancel(): void {
    this.#left.cancels -= 1;
    this.#apply({ type: "cancel", actor: "person" });
  }

  #retryByHand(phase: string, fate: Fate): void {
    this.#left.retries -= 1;
    this.#fates.set(phase, fate === "shard_fails" && this.#shardCount(phase) === 0 ? "succeeds" : fate);
    this.#retry(phase);
  }

  #canRetry(phase: string): boolean {
    if (failedBeforeItsShards(phaseRecord(this.#state, phase))) return true;
    const entry = this.#ledger.get(phase);
    return entry !== undefined && (entry.fold === "rejected" || entry.shards.some(isRetryable));
  }

  /** The steps of a retry by hand, as the engine takes them. */
  #retry(phase: string): void {
    const entry = this.#ledger.get(phase);
    const reopen = { name: `reopen ${phase}`, act: () => this.#apply({ type: "reopen", phase, actor: "person" }) };
    const requeue = { name: `requeue ${phase}`, act: () => this.#requeue(phase, isRetryable) };
    const clear = { name: `clear ${phase}`, act: () => this.#moveFold(phase, "rejected", "none") };
    const refold = { name: `refold ${phase}`, act: () => this.#moveFold(phase, "none", "due") };
    if (entry === undefined || failedBeforeItsShards(phaseRecord(this.#state, phase))) this.#hands.push([reopen]);
    else if (entry.fold === "rejected") this.#hands.push([clear, reopen, refold]);
    else this.#hands.push([reopen, requeue, reopen]);
  }

  /** As a worker does it that ends several attempts in one step. */
  #applyTogether(ends: readonly Trigger[]): void {
    for (const end of ends) this.#triggers.splice(this.#triggers.indexOf(end), 1);
    this.#apply(...ends);
  }

  #apply(...triggers: (Trigger | undefined)[]): void {
    const known = triggers.filter((trigger) => trigger !== undefined);
    if (known.length === 0) return;
    this.#nowMs += 10;
    const wasStopped = this.#isStopped();
    const decision = this.#decide(...known);
    this.trace.push(`  -> ${storyOf(decision)}`);
    this.#state = applyDecision(this.#state, decision, this.#state.run.version + 1);
    this.#referee.watch(decision, this.#state);
    for (const trigger of known) this.#checkRepeated(trigger, wasStopped);
    for (const effect of decision.effects) this.#outbox.set(effectText(effect), effect);
  }

  /** What was read of the cost may be old; the commit refuses a decision that goes on with a spent budget. */
  #decide(...triggers: Trigger[]): Decision {
    const decision = decideTogether(this.#state, triggers, this.#nowMs);
    const budget = reliedOnBudget(this.#state, decision);
    const after = { ...this.#state.run, ...decision.run };
    if (budget === undefined || !isBudgetSpent(this.#state.plan, after, this.#costUsd)) return decision;
    this.#state = { ...this.#state, run: { ...this.#state.run, cost_usd: this.#costUsd } };
    return decideTogether(this.#state, triggers, this.#nowMs);
  }

  /** The same trigger again does nothing; only a phase found drained may be resumed again, which is harmless. */
  #checkRepeated(trigger: Trigger, wasStopped: boolean): void {
    // a rerun is decided on one version of the run, and on no other
    if (trigger.type === "rerun") return;
    const again = decide(this.#state, trigger, this.#nowMs);
    if (trigger.type === "reopen") {
      const isStoppedAgain = this.#isStopped();
      if (isStoppedAgain || conditionDecided(trigger.phase, phaseRecord(this.#state, trigger.phase))) return;
    }
    // it resumed the phase, and the budget stopped the run in the same decision: now it means what it says
    if (trigger.type === "phase_drained" && this.#isStopped() && !wasStopped) return;
    const isHarmless = storyOf(again) === (trigger.type === "phase_drained" ? resumeText(trigger) : "");
    if (!isEmptyDecision(again) && !isHarmless) throw new Error(`${triggerText(trigger)} again: ${storyOf(again)}`);
  }

  #carryOut(id: string, effect: Effect): void {
    this.#outbox.delete(id);
    switch (effect.kind) {
      case "open_phase":
        return this.#open(effect.phase, effect.revision);
      case "resume_release":
        if (this.#ledger.get(effect.phase)?.revision !== effect.revision) {
          return this.#open(effect.phase, effect.revision);
        }
        return this.#requeue(effect.phase, (shard) => shard === "cancelled");
      case "stop_release":
        return this.#stopRelease();
      case "schedule_timeout":
        // what was set before stays: it must have no effect
        if (!this.#isHealing) this.#timers.push(effect.at_ms ?? 0);
        return;
      case "schedule_approval_timeout":
        if (!this.#isHealing) this.#approvals.wait(effect);
        return;
      case "discard_making":
      case "release_lock":
      case "resume_spawner":
      case "pause_release":
      case "resume_run":
      case "finish_run":
        return;
    }
  }

  #open(phase: string, revision: number): void {
    const record = phaseRecord(this.#state, phase);
    if (record.status !== "running" || record.revision + 1 !== revision) return;
    if (this.#fates.get(phase) === "expansion_failed") {
      const cause = { code: "expansion_failed" } as const;
      this.#triggers.push({ type: "phase_failed", phase, revision, cause, failedShards: 0 });
      return;
    }
    const sketch = this.#plan.phases[phase];
    if (sketch === undefined) throw new Error(`there is no phase ${phase}`);
    const entry = new SimulatedEntry(revision, sketch);
    this.#ledger.set(phase, entry);
    this.#claim();
    if (entry.progress(this.#isStopped()) === "drained") this.#reports.add(phase);
  }

  #claim(): void {
    if (this.#isStopped()) return;
    for (const entry of this.#ledger.values()) entry.claim();
  }

  #requeue(phase: string, which: (shard: Shard) => boolean): void {
    const entry = this.#ledger.get(phase);
    if (entry === undefined) return;
    entry.requeue(which);
    this.#claim();
  }

  #stopRelease(): void {
    if (!this.#isStopped()) return;
    const kills = this.#state.run.stop_kills;
    for (const [phase, entry] of this.#ledger) {
      entry.stop(kills);
      if (entry.progress(true) === "drained") this.#reports.add(phase);
    }
  }

  #moveShard(phase: string, entry: SimulatedEntry, shard: number, to: Shard): void {
    entry.move(shard, to);
    if (to === "running") return;
    if (to !== "cancelled") this.#costUsd += this.#shardCostUsd;
    this.#claim();
    const progress = entry.progress(this.#isStopped());
    if (progress === "complete") entry.fold = "due";
    if (to === "failed" || this.#shardCostUsd > 0 || progress !== "busy") this.#reports.add(phase);
  }

  #fold(phase: string, entry: SimulatedEntry): void {
    entry.fold = this.#fates.get(phase) === "merge_rejected" ? "rejected" : "accepted";
    if (entry.fold === "rejected") this.#reports.add(phase);
    else this.#settle(phase, entry);
  }

  #moveFold(phase: string, from: SimulatedEntry["fold"], to: SimulatedEntry["fold"]): void {
    const entry = this.#ledger.get(phase);
    const progress = entry?.progress(this.#isStopped());
    if (entry?.fold === from && (progress === "complete" || progress === "tolerable")) entry.fold = to;
  }

  #settle(phase: string, entry: SimulatedEntry): void {
    const { revision } = entry;
    const toleratedShards = entry.count("failed");
    const artifacts = [artifactNamed(phase, contentOf(revision))];
    this.#triggers.push({ type: "phase_succeeded", phase, revision, artifacts, toleratedShards });
  }

  /** Reads where a phase stands; the decision on it comes later. */
  #report(phase: string): void {
    this.#reports.delete(phase);
    const entry = this.#ledger.get(phase);
    if (entry === undefined) return;
    const ref = { phase, revision: entry.revision };
    const tolerated = this.#plan.phases[phase]?.tolerated ?? 0;
    const failedShards = entry.count("failed");
    const progress = entry.progress(this.#isStopped());
    if (entry.fold === "rejected") {
      this.#triggers.push({ type: "phase_failed", ...ref, cause: { code: "merge_rejected" }, failedShards });
      return;
    }
    if (progress === "complete") return;
    const { plan, run } = this.#state;
    if (isBudgetSpent(plan, run, this.#costUsd)) this.#triggers.push({ type: "budget_spent", costUsd: this.#costUsd });
    if (progress === "tolerable") {
      if (entry.fold === "none") entry.fold = "due";
    } else if (failedShards <= (this.#isStopped() ? tolerated : 0)) {
      if (progress === "drained") this.#triggers.push({ type: "phase_drained", ...ref });
    } else if (progress === "drained") {
      this.#triggers.push({ type: "phase_failed", ...ref, cause: { code: "shards_failed" }, failedShards });
    } else if (failedShards > tolerated) {
      this.#triggers.push({ type: "shard_failed", ...ref, why: "exit 1" });
    }
  }

  /** What the engine's sweep does for each running phase. @returns whether it found anything to do */
  #sweep(): boolean {
    let hasFolded = false;
    for (const [phase, entry] of this.#ledger) {
      if (phaseRecord(this.#state, phase).status !== "running") continue;
      if (entry.fold === "accepted") this.#settle(phase, entry);
      else this.#report(phase);
      hasFolded ||= entry.fold === "due";
    }
    if (hasFolded) return true;
    if (this.#triggers.length === 0) return false;
    this.sweeps += 1;
    this.trace.push("sweep");
    if (this.sweeps > 20) throw new Error("only sweeps happen");
    return true;
  }

  #isStopped(): boolean {
    return this.#state.run.stop !== null;
  }

  #shardCount(phase: string): number {
    return this.#plan.phases[phase]?.shardCount ?? 0;
  }
}
