import { type Decision, reliedOnBudget, type RunState, type Trigger } from "@fanfold/core";
import {
  type ClaimedShard,
  type CommitResult,
  type CompletionReply,
  type FlowPhase,
  jobIds,
  type TakenEnd,
} from "@fanfold/store";
import { ackClaims } from "./ack-claims.ts";
import { carryOut } from "./carry-out.ts";
import { chooseCarried } from "./choose-carried.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import type { AttemptEnd, AttemptEndReply } from "./attempt-end.ts";
import { type WorkerStep, workerStepOf } from "./worker-step.ts";

/** The end of an attempt that waits for its turn. */
export interface WaitingEnd {
  readonly end: AttemptEnd;
  readonly trigger: Trigger;
  readonly resolve: (reply: AttemptEndReply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Ends the attempts that complete direct phases of a run, and settles the phases in the same step: the worker goes on
 * with what follows, without a scheduler in between. What is more than a step of a worker, such as cutting the records of
 * the next phase, is left to a scheduler, and so is a run that many workers move on at once. Never rejects: each end is
 * told by itself.
 *
 * The job of one of the ends, the _claimant_, claims what may run. It may carry shards of phases that are opened: their
 * attempts are begun in the same step, and one gets a job of its own only if this job cannot end it well. Until then it
 * stays claimed in the name of the job, so that whoever takes the job over finds it. The other jobs owe nothing.
 *
 * May be repeated, and may die at any point: the ends of the attempts and the decision are one step, what it claims is
 * kept under the claimant's name until it is on its queue, and what it asks for beyond that is in the outbox.
 *
 * @param take gives the ends that wait; asked again each time somebody else was faster
 */
export async function completeTogether(
  workings: EngineWorkings,
  runId: string,
  take: () => readonly WaitingEnd[],
): Promise<void> {
  const ends = new Map<WaitingEnd, TakenEnd | undefined>();
  try {
    await new JointStep(workings, runId, { ends, take }).run();
  } catch (error) {
    for (const waiting of take()) ends.set(waiting, undefined);
    for (const { reject } of ends.keys()) reject(error);
  }
}

/** What was done in one go, and what came of it. */
interface Hop {
  readonly state: RunState;
  readonly step: WorkerStep;
  readonly reply: CompletionReply;
}

class JointStep {
  readonly #workings: EngineWorkings;
  readonly #runId: string;
  readonly #take: () => readonly WaitingEnd[];
  /** Every end, and how it was taken the first time it was told. */
  readonly #ends: Map<WaitingEnd, TakenEnd | undefined>;
  #hop: Hop | undefined;

  constructor(
    workings: EngineWorkings,
    runId: string,
    { ends, take }: { ends: Map<WaitingEnd, TakenEnd | undefined>; take: () => readonly WaitingEnd[] },
  ) {
    this.#workings = workings;
    this.#runId = runId;
    this.#ends = ends;
    this.#take = take;
  }

  async run(): Promise<void> {
    const isSettled = await this.#workings.states.applyBy(
      this.#runId,
      () => this.#triggers(),
      (state, decision) => this.#commit(state, decision),
    );
    if (this.#hop === undefined) await this.#endApart();
    else if (isSettled) await this.#goOn(this.#hop);
    else await this.#leave(this.#hop);
  }

  /** What is decided on: the ends that were taken, or not told yet. */
  #triggers(): Trigger[] {
    for (const waiting of this.#take()) this.#ends.set(waiting, undefined);
    return this.#standing().map(({ trigger }) => trigger);
  }

  #standing(): WaitingEnd[] {
    return [...this.#ends].flatMap(([waiting, taken]) => (taken === undefined || completes(taken) ? [waiting] : []));
  }

  async #commit(state: RunState, decision: Decision): Promise<CommitResult | undefined> {
    const { store, clock } = this.#workings;
    const step = workerStepOf(state, decision);
    if (step === undefined) return undefined;
    const standing = this.#standing();
    const leader = (standing.find(({ end }) => end.carrier !== undefined) ?? standing[0])?.end;
    if (leader === undefined) return undefined;
    const reply = await store.completions.complete(this.#runId, {
      ends: standing.map((waiting) => ({ ...waiting.end, isFinished: this.#ends.get(waiting) !== undefined })),
      claimant: leader.claimant,
      nowMs: clock.nowMs(),
      on: { version: state.run.version, budget: reliedOnBudget(state, decision) },
      carrying: leader.carrier === undefined ? undefined : chooseCarried(state, step, leader.carrier),
      ...step,
    });
    this.#hop = { state, step, reply };
    for (const [i, waiting] of standing.entries()) {
      const taken = reply.ends[i];
      if (this.#ends.get(waiting) === undefined || taken?.verdict === "refused") this.#ends.set(waiting, taken);
    }
    // one that was refused, or stopped, has no part in the decision: it is made again without it
    return reply.committed ?? (this.#standing().length > 0 ? { kind: "conflict" } : undefined);
  }

  /** It is decided: what was claimed is put on its queues in the claimant's name, and the others are done. */
  async #goOn({ state, step, reply }: Hop): Promise<void> {
    const { claimant } = reply;
    const told = [...this.#ends].flatMap(([waiting, finished]) =>
      finished === undefined ? [] : [{ waiting, finished }],
    );
    for (const { waiting, finished } of told) if (waiting.end.claimant !== claimant) waiting.resolve({ finished });
    if (claimant !== undefined) await this.#release({ state, step, reply }, claimant);
    await carryOut(this.#workings, this.#runId, step.decision.effects);
    let next = reply.carried;
    for (const { waiting, finished } of told) {
      if (waiting.end.claimant !== claimant) continue;
      const takesNext = waiting.end.carrier !== undefined && next.length > 0;
      waiting.resolve(takesNext ? { finished, next } : { finished });
      if (takesNext) next = [];
    }
  }

  /** The attempts have ended, and it is for others to decide what that means. */
  async #leave({ reply: { claimant } }: Hop): Promise<void> {
    if (claimant !== undefined) await this.#workings.engine.claim(this.#runId, claimant);
    for (const [{ end, resolve }, finished] of this.#ends) {
      if (finished === undefined) continue;
      await settleLater(this.#workings, end, finished);
      resolve({ finished });
    }
  }

  /** Nothing was sent: it is more than a step of a worker, maybe only because of one of the ends. */
  async #endApart(): Promise<void> {
    const [first, ...others] = this.#ends.keys();
    if (first === undefined) return;
    if (others.length === 0) return this.#endAlone(first);
    for (const waiting of [first, ...others]) {
      const left = [waiting];
      await completeTogether(this.#workings, this.#runId, () => left.splice(0));
    }
  }

  async #endAlone({ end, resolve }: WaitingEnd): Promise<void> {
    const { store, engine } = this.#workings;
    const { runId, ref, finish, claimant, isCarried } = end;
    const own = jobIds.shard(runId, ref);
    const finished = await store.ledger.finishShard(runId, ref, finish, { claimant: own });
    await engine.release(runId, finished.claimed, own);
    if (isCarried) await engine.letGo(runId, claimant, ref);
    await settleLater(this.#workings, end, finished);
    resolve({ finished });
  }

  /** Puts on their queues what the step claimed. */
  async #release({ state, step, reply }: Hop, claimant: string): Promise<void> {
    const { engine, store } = this.#workings;
    const { claimed, opened, inFlight, carried } = reply;
    const runId = this.#runId;
    const isOpened = (shard: ClaimedShard): boolean =>
      step.openings.some(({ phase, revision }) => phase === shard.phase && revision === shard.revision);
    const own = opened.length === 0 ? [] : claimed.filter((shard) => !shard.carried && isOpened(shard));
    const flows = own.map(({ phase, revision }): FlowPhase => {
      return { runId, phase, revision, definition: state.graph.phase(phase), shardCount: 1, inFlight };
    });
    const others = claimed.filter((shard) => !shard.carried && !own.includes(shard));
    await store.queues.admitDirect(flows);
    await engine.admit(runId, others);
    if (own.length + others.length > 0) await ackClaims(this.#workings, runId, claimant, { carried: false });
    for (const [i, { phase, revision }] of step.openings.entries()) {
      if (opened[i] === "drained") await engine.report(runId, { phase, revision });
    }
    // an earlier claim of this name had not been acknowledged, and was repeated in place of a new one
    const hasOlder = claimed.length > own.length + carried.length;
    if (hasOlder && opened.length > own.length + carried.length) await engine.claim(runId, `${claimant}.next`);
  }
}

/** Whether the end of an attempt completed its phase. */
function completes({ verdict, progress }: TakenEnd): boolean {
  return verdict === "ok" && progress === "complete";
}

/** Has a scheduler settle the phase. */
async function settleLater({ store }: EngineWorkings, { runId, ref }: AttemptEnd, finished: TakenEnd): Promise<void> {
  if (!completes(finished)) return;
  const { phase, revision } = ref;
  const job = { kind: "settle", run_id: runId, phase, revision } as const;
  await store.queues.addSchedulerJob(jobIds.settle(runId, phase, revision), job);
}
