import { phaseProgress } from "@fanfold/core";
import {
  blockOf,
  type CarriedShard,
  type FlowPhase,
  isDirect,
  jobIds,
  parseShardId,
  type PhaseRef,
  type ShardRef,
  type Store,
  shardQueue,
  AGGREGATE_QUEUE,
  JOB_LOCK,
  SCHEDULER_QUEUE,
} from "@fanfold/store";
import { SPAWN_RECHECK_MS } from "./await-children.ts";
import type { Clock } from "./clock.ts";

/** What the repair needs of the engine. */
export interface RepairedEngine {
  readonly store: Store;
  flowPhase(runId: string, ref: PhaseRef): Promise<FlowPhase>;
  takeOver(runId: string, claimant: string): Promise<void>;
  release(runId: string, claimed: Awaited<ReturnType<Store["ledger"]["claim"]>>, claimant: string): Promise<void>;
}

/**
 * Puts jobs back that somebody removed: by clean, drain, obliterate, remove, or by deleting keys. Job ids follow
 * from what a job is about, and the ledger has the last word on each start, so putting back a job that is there
 * changes nothing, and one that is put back needlessly does nothing.
 *
 * The price of a look is a few commands for each phase that is open and for each shard that is released, running
 * or in backoff, however many shards there are.
 */
export class RunRepair {
  readonly #engine: RepairedEngine;
  readonly #clock: Clock;

  constructor(engine: RepairedEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /**
   * Puts back the jobs of shards that should have one.
   *
   * @returns shards that cannot have one yet, because a worker still holds the removed one
   */
  async repairShards(runId: string): Promise<ShardRef[]> {
    const { store } = this.#engine;
    const held: ShardRef[] = [];
    for (const [phase, atWork] of groupShards(await store.ledger.listAtWork(runId))) {
      const flow = await this.#flow(runId, phase);
      if (flow === undefined) continue;
      const shards = await this.#locate(runId, flow, atWork);
      const states = await store.flows.findShards(runId, flow.definition.pool, shards);
      for (const [i, shard] of shards.entries()) {
        const state = states[i];
        if (state === "held") held.push(shard);
        if (state === "missing" || state === "ended") await this.#repairShard(flow, shard, state);
      }
    }
    return held;
  }

  /**
   * Gives the shards jobs that the job of a claimant carried which somebody removed: to start when the worker that may
   * still be at them must have noticed. One that waits to be taken over by another worker does that itself.
   */
  async repairCarrier(runId: string, claimant: string): Promise<void> {
    const { store } = this.#engine;
    const carried = await store.ledger.listCarried(runId, claimant);
    const [first] = carried;
    if (first === undefined) return;
    const { definition } = await this.#engine.flowPhase(runId, first);
    const carrier = parseShardId(claimant.slice(runId.length + 1));
    const [state] = await store.flows.findShards(runId, definition.pool, [carrier]);
    if (state === "there" || state === "held") return;
    for (const shard of carried) {
      await store.queues.restoreShard(await this.#engine.flowPhase(runId, shard), shard, JOB_LOCK.lockMs);
    }
    await this.#engine.takeOver(runId, claimant);
  }

  /** Compares the flow of an open phase with what the queues have of it, and puts back what is missing. */
  async repairFlow(runId: string, ref: PhaseRef): Promise<void> {
    const { store } = this.#engine;
    const flow = await this.#engine.flowPhase(runId, ref);
    if (isDirect(flow.definition)) return;
    const { settle, aggregate, hasGate } = await store.flows.findFlow(flow);
    if (settle === "missing" || aggregate === "missing") {
      return this.#restoreIfGone(runId, ref, flow);
    }
    if (settle === "failed")
      await store.queues.runAgain(SCHEDULER_QUEUE, jobIds.settle(runId, ref.phase, ref.revision));
    if (aggregate === "failed" && (await store.ledger.findFold(runId, ref)) === undefined) {
      await store.queues.runAgain(AGGREGATE_QUEUE, jobIds.aggregate(runId, ref.phase, ref.revision));
    }
    if (aggregate !== "waits") return;
    const counts = await store.ledger.findPhase(runId, ref.phase);
    if (counts === undefined) return;
    if (counts.next < counts.total && !hasGate) return this.restore(runId, ref, "its gate was removed");
    if (phaseProgress(counts, false) !== "complete") return;
    const queue = shardQueue(flow.definition.pool);
    for (const { shard, size, state } of await store.flows.listDeadChildren(flow)) {
      const child = { ...ref, shard, size };
      if (state === "missing") await store.queues.restoreBlock(flow, child);
      else await store.queues.runAgain(queue, size === 1 ? jobIds.shard(runId, child) : jobIds.block(runId, child));
    }
  }

  /**
   * Puts back the whole flow of a phase, so that nothing is folded before every shard is in.
   *
   * @param reason what happened, for the journal
   */
  async restore(runId: string, ref: PhaseRef, reason: string): Promise<void> {
    const { store } = this.#engine;
    const flow = await this.#engine.flowPhase(runId, ref);
    await store.ledger.notePhaseRepair(runId, ref, { reason, nowMs: this.#clock.nowMs() });
    await store.queues.restoreFlow(flow);
    const atWork = (await store.ledger.listAtWork(runId)).filter((shard) => isOf(shard, ref));
    const shards = await this.#locate(runId, ref, atWork);
    const states = await store.flows.findShards(runId, flow.definition.pool, shards);
    const blocks = new Set<string>();
    for (const [i, shard] of shards.entries()) {
      if (states[i] !== "there") continue;
      if (shard.block !== undefined && shard.ownJob !== true) blocks.add(shard.block);
      else await store.queues.restoreShard(flow, shard);
    }
    for (const block of blocks) await store.queues.restoreBlock(flow, blockOf(ref, block));
    const held = await this.repairShards(runId);
    if (!held.some((shard) => isOf(shard, ref))) await this.openGate(runId, ref);
  }

  /** The shards with the blocks that carry them. */
  async #locate(runId: string, ref: PhaseRef, shards: readonly ShardRef[]): Promise<CarriedShard[]> {
    const indexes = shards.map(({ shard }) => shard);
    const records = await this.#engine.store.ledger.findShards(runId, ref, indexes);
    return shards.map((shard, i) => ({ ...shard, block: records[i]?.block, ownJob: records[i]?.own_job }));
  }

  /** Makes sure that there are the jobs above the shards of a phase, also while it is just being opened. */
  async ensureFlow(runId: string, ref: PhaseRef): Promise<void> {
    const flow = await this.#engine.flowPhase(runId, ref);
    if (await this.#isBeingOpened(runId, ref)) await this.#engine.store.queues.restoreFlow(flow);
    else await this.#restoreIfGone(runId, ref, flow);
  }

  /** Whoever opens a phase may just be adding its flow: it is gone if it is missing after nobody did. */
  async #restoreIfGone(runId: string, ref: PhaseRef, flow: FlowPhase): Promise<void> {
    if (isDirect(flow.definition) || (await this.#isBeingOpened(runId, ref))) return;
    const { settle, aggregate } = await this.#engine.store.flows.findFlow(flow);
    if (settle !== "missing" && aggregate !== "missing") return;
    await this.restore(runId, ref, `its ${settle === "missing" ? "settle" : "aggregate"} job was removed`);
  }

  /** Removes the gate of a phase that no longer needs one: what is not done with is on a queue. */
  async openGate(runId: string, ref: PhaseRef): Promise<void> {
    const { store } = this.#engine;
    const counts = await store.ledger.findPhase(runId, ref.phase);
    if (counts === undefined || counts.revision !== ref.revision) return;
    if (counts.next < counts.total || counts.unacked > 0) return;
    const isOpen = counts.failed + counts.cancelled > 0 && phaseProgress(counts, false) !== "tolerable";
    if (!isOpen) await store.queues.removeGate(runId, ref);
  }

  async #repairShard(flow: FlowPhase, shard: CarriedShard, state: "missing" | "ended"): Promise<void> {
    const { store } = this.#engine;
    const { runId } = flow;
    const nowMs = this.#clock.nowMs();
    const reason = state === "missing" ? "its job was removed" : "its job had ended";
    const { status, untilMs } = await store.ledger.noteShardRepair(runId, shard, {
      reason,
      nowMs,
      wasInBlock: shard.block !== undefined && shard.ownJob !== true,
    });
    if (status === undefined) return;
    if (status === "waiting") return this.#queueForSlot(runId, shard);
    if (state === "ended") return store.queues.runAgain(shardQueue(flow.definition.pool), jobIds.shard(runId, shard));
    // a worker whose job was removed under it may still be at it: it notices when it cannot renew the lock
    const backoff = Math.max(0, untilMs - nowMs);
    const delayMs = { released: 0, running: JOB_LOCK.lockMs, backoff, spawned: SPAWN_RECHECK_MS }[status];
    await store.queues.restoreShard(flow, shard, delayMs);
  }

  async #queueForSlot(runId: string, shard: ShardRef): Promise<void> {
    const claimant = jobIds.shard(runId, shard);
    await this.#engine.release(runId, await this.#engine.store.ledger.claim(runId, claimant, shard), claimant);
  }

  /** The effect that opens a phase adds its flow, and stays in the outbox until it has. */
  async #isBeingOpened(runId: string, { phase, revision }: PhaseRef): Promise<boolean> {
    const effects = await this.#engine.store.runs.listOutbox(runId);
    return effects.some((e) => "phase" in e && e.phase === phase && e.revision === revision);
  }

  async #flow(runId: string, phase: string): Promise<FlowPhase | undefined> {
    const counts = await this.#engine.store.ledger.findPhase(runId, phase);
    return counts === undefined ? undefined : this.#engine.flowPhase(runId, { phase, revision: counts.revision });
  }
}

function isOf(shard: ShardRef, { phase, revision }: PhaseRef): boolean {
  return shard.phase === phase && shard.revision === revision;
}

function groupShards(shards: readonly ShardRef[]): Map<string, ShardRef[]> {
  const groups = new Map<string, ShardRef[]>();
  for (const shard of shards) {
    const group = groups.get(shard.phase) ?? [];
    group.push(shard);
    groups.set(shard.phase, group);
  }
  return groups;
}
