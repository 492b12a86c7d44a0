import { type Decision, reliedOnBudget, type RunState } from "@fanfold/core";
import type { Effect, ShardRecord } from "@fanfold/schemas";
import {
  type Carrier,
  type ClaimedShard,
  type CompletionReply,
  type FinishReply,
  type FlowPhase,
  isDirect,
  jobIds,
  type PhaseOpening,
  type ShardFinish,
  type ShardRef,
} from "@fanfold/store";
import { ackClaims } from "./ack-claims.ts";
import { carryOut } from "./carry-out.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { UNSHARDED } from "./expand-phase.ts";
import { openingOf } from "./open-phase.ts";
import { artifactsOf } from "./phase-outputs.ts";

/** The successful end of the only attempt of a direct phase that is left. */
export interface PhaseEnd {
  readonly runId: string;
  readonly ref: ShardRef;
  readonly finish: ShardFinish;
  /** The job that runs the attempt: the shard's own, or that of another one, which carries it. Claims the next shards. */
  readonly claimant: string;
  readonly isCarried: boolean;
  /** Who would go on with a shard that this starts; nobody when absent. */
  readonly carrier?: Carrier | undefined;
}

/** How the end of an attempt was taken. */
export interface PhaseEndReply {
  readonly finished: FinishReply;
  /** The shard that the job carries now: its attempt is on. */
  readonly next?: { readonly ref: ShardRef; readonly record: ShardRecord };
}

/**
 * Ends the attempt that completes a direct phase, and settles the phase in the same step: the worker goes on with what
 * follows, without a scheduler in between. What is more than a step of a worker, such as cutting the records of the next
 * phase, is left to a scheduler, and so is a run that many workers move on at once.
 *
 * The job may carry the first shard of a phase that is opened: its attempt is begun in the same step, and it gets a job of
 * its own only if this one cannot end it well. Until then it stays claimed in the name of this job, so that whoever takes
 * the job over finds it.
 *
 * May be repeated, and may die at any point: the end of the attempt and the decision are one step, what it claims is kept
 * under the claimant's name until it is on its queue, and what it asks for beyond that is in the outbox.
 */
export async function completePhase(workings: EngineWorkings, end: PhaseEnd): Promise<PhaseEndReply> {
  const { store, states } = workings;
  const { runId, ref, finish, claimant, isCarried, carrier } = end;
  const definition = (await states.plan(runId)).graph.phase(ref.phase);
  if (finish.record.result === undefined) throw new Error(`the attempt that completes ${ref.phase} has no result`);
  const artifacts = artifactsOf(definition, finish.record.result);
  const trigger = { type: "phase_succeeded", ...ref, artifacts, toleratedShards: 0 } as const;
  let hop: Hop | undefined;
  const isSettled = await states.applyBy(runId, trigger, async (state, decision) => {
    const step = stepOf(state, decision);
    if (step === undefined) return undefined;
    const on = { version: state.run.version, budget: reliedOnBudget(state, decision) };
    const carrying = carrier === undefined ? undefined : { ...carrier, phases: carriable(state, step, carrier.pool) };
    const ended = { ref, finish, claimant, isCarried, isFinished: hop !== undefined };
    const reply = await store.completions.complete(runId, { ...ended, carrying, on, ...step });
    hop = { state, step, reply, finished: hop?.finished ?? reply.finished };
    return reply.committed;
  });
  if (hop === undefined) {
    const own = jobIds.shard(runId, ref);
    const finished = await store.ledger.finishShard(runId, ref, finish, { claimant: own });
    await workings.engine.release(runId, finished.claimed, own);
    if (isCarried) await store.ledger.ackClaims(runId, claimant, { carried: true });
    await settleLater(workings, end, finished);
    return { finished };
  }
  await release(workings, end, hop);
  if (isSettled) await carryOut(workings, runId, hop.step.decision.effects);
  else await settleLater(workings, end, hop.finished);
  return { finished: hop.finished, ...nextOf(hop.reply.finished) };
}

/** The shard that the job carries now. */
export function nextOf({ claimed, carried: record }: FinishReply): Pick<PhaseEndReply, "next"> {
  const ref = claimed.find(({ carried }) => carried);
  return record === undefined || ref === undefined ? {} : { next: { ref, record } };
}

/** Phases that are opened, and that a job of the pool may go on with: their work is done inside the worker. */
function carriable({ graph }: RunState, { openings }: Step, pool: string): string[] {
  return openings
    .map(({ phase }) => graph.phase(phase))
    .filter((phase) => phase.pool === pool && phase.work.kind === "handler")
    .map(({ id }) => id);
}

/** What was done in one go, and what came of it. */
interface Hop {
  readonly state: RunState;
  readonly step: Step;
  readonly reply: CompletionReply;
  /** How the attempt's end was taken, the first time it was told. */
  readonly finished: FinishReply;
}

/** A decision without the effects that are had in the same step: the phases that are opened. */
interface Step {
  readonly decision: Decision;
  readonly openings: readonly PhaseOpening[];
}

/** A decision as one step of a worker; undefined when it asks for more than that. */
function stepOf(state: RunState, decision: Decision): Step | undefined {
  // what is spent meanwhile stops the run: that is for whoever sees the cost as it is
  if (state.plan.cost_budget_usd !== null) return undefined;
  const openings: PhaseOpening[] = [];
  const left: Effect[] = [];
  for (const effect of decision.effects) {
    if (effect.kind === "finish_run" && decision.run.status !== "cancelled") continue;
    if (effect.kind !== "open_phase") {
      if (!LIGHT.has(effect.kind)) return undefined;
      left.push(effect);
      continue;
    }
    const definition = state.graph.phase(effect.phase);
    const record = decision.phases.get(effect.phase);
    if (!isDirect(definition) || definition.shard !== null || record === undefined) return undefined;
    const isPlain = definition.lock === null && definition.reuse === undefined && record.turn === undefined;
    const ref = { phase: effect.phase, revision: effect.revision };
    const started = { ref, definition, record, order: state.graph.index(effect.phase) };
    if (isPlain) openings.push(openingOf(started, UNSHARDED));
    else left.push(effect);
  }
  return { decision: { ...decision, effects: left }, openings };
}

/** Effects that a worker carries out itself: a few commands each. */
const LIGHT: ReadonlySet<Effect["kind"]> = new Set([
  "release_lock",
  "resume_spawner",
  "schedule_timeout",
  "schedule_approval_timeout",
]);

/** Puts on their queues what the step claimed. */
async function release(workings: EngineWorkings, { runId, claimant }: PhaseEnd, hop: Hop): Promise<void> {
  const { engine, store } = workings;
  const { reply, step, state } = hop;
  const { claimed } = reply.finished;
  const isOpened = (shard: ClaimedShard): boolean =>
    step.openings.some(({ phase, revision }) => phase === shard.phase && revision === shard.revision);
  const carried = claimed.filter((shard) => shard.carried);
  const own = reply.opened.length === 0 ? [] : claimed.filter((shard) => !shard.carried && isOpened(shard));
  const flows = own.map(
    ({ phase, revision }): FlowPhase => ({
      runId,
      phase,
      revision,
      definition: state.graph.phase(phase),
      shardCount: 1,
      inFlight: reply.inFlight,
    }),
  );
  const others = claimed.filter((shard) => !shard.carried && !own.includes(shard));
  await store.queues.admitDirect(flows);
  await engine.admit(runId, others);
  if (own.length + others.length > 0) await ackClaims(workings, runId, claimant, { carried: false });
  for (const [i, { phase, revision }] of step.openings.entries()) {
    if (reply.opened[i] === "drained") await engine.report(runId, { phase, revision });
  }
  // an earlier claim of this name had not been acknowledged, and was repeated in place of a new one
  if (others.length > 0 && reply.opened.length > own.length + carried.length)
    await engine.claim(runId, `${claimant}.next`);
}

/** Has a scheduler settle the phase. */
async function settleLater({ store }: EngineWorkings, { runId, ref }: PhaseEnd, finished: FinishReply): Promise<void> {
  if (finished.verdict !== "ok" || finished.progress !== "complete") return;
  const { phase, revision } = ref;
  const job = { kind: "settle", run_id: runId, phase, revision } as const;
  await store.queues.addSchedulerJob(jobIds.settle(runId, phase, revision), job);
}
