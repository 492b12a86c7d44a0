import { jobPriority } from "@fanfold/core";
import type { BlockJob, CompiledPhase, SchedulerJob, ShardJob } from "@fanfold/schemas";
import { type FlowJobNode, FlowProducer, type Job, type JobsOptions, Queue } from "bullmq";
import { type ClaimedShard, countShards } from "./claimed-shard.ts";
import {
  AGGREGATE_QUEUE,
  type BlockRef,
  GATES_QUEUE,
  jobIds,
  type Keys,
  type PhaseRef,
  SCHEDULER_QUEUE,
  type ShardRef,
  shardQueue,
} from "./keys.ts";
import type { LeavingShard } from "./ledger-moves.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { untilAccepted } from "./redis/redis-health.ts";
import { StoreError } from "./store-error.ts";

/** Jobs added in one round trip: larger ones make Redis and the event loop stall (measured: 250 costs < 30 ms). */
const ADD_CHUNK = 250;
/**
 * Jobs that are added together with their flow: workers begin on them while the rest is added. A job takes about 0.2 ms
 * of the scheduler and of Redis.
 */
const FIRST_IN_FLOW = 16;
/** Finished shard jobs kept for people to look at; their results live in the ledger. */
const KEEP_COMPLETED = { count: 1_000 };
/** Rows of output kept with a job; the whole output is in the artifact store. */
const KEEP_LOG_ROWS = 500;
/** Scheduler work is idempotent, so a passing failure is simply tried again. */
const SCHEDULER_RETRIES: JobsOptions = { attempts: 5, backoff: { type: "exponential", delay: 500 } };
/** For failures of the worker itself only: what user code does is retried by the ledger's rule. */
const SHARD_RETRIES: JobsOptions = { attempts: 5, backoff: { type: "fixed", delay: 1_000 } };
/** How often, and how far apart in ms, a job is looked at again that is just being finished, or its flow added. */
const SETTLING_TRIES = 100;
const SETTLING_PAUSE_MS = 20;

/** What BullMQ gives for the id of a job whose parent is not there. */
const PARENT_MISSING = "-5";

/** A leaf of a flow. */
interface ShardNode {
  readonly name: string;
  readonly queueName: string;
  readonly data: ShardJob | BlockJob;
  readonly opts: JobsOptions & { readonly jobId: string };
}

/** A phase of a run whose flow is built. */
export interface FlowPhase extends PhaseRef {
  readonly runId: string;
  readonly definition: CompiledPhase;
  readonly shardCount: number;
  /** Shards of the run in flight, those to be put on a queue now included. */
  readonly inFlight: number;
}

/** Whether a phase's only shard is its output: then nothing is folded, and no aggregate stands between. */
export function isDirect(phase: CompiledPhase): boolean {
  return phase.merge.strategy === "none";
}

/**
 * The BullMQ queues of a deployment. A phase is one flow, `settle ← aggregate ← gate + shards`; a phase with nothing to
 * fold is a job of its own, and whoever ends its attempt settles it.
 */
export class Queues {
  readonly #redis: RedisClient;
  readonly #prefix: string;
  readonly #flows: FlowProducer;
  readonly #queues = new Map<string, Queue>();
  readonly #ownJobs = new Set<string>();

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#prefix = keys.prefix;
    this.#flows = new FlowProducer({ connection: redis, prefix: keys.prefix });
    this.#flows.on("error", () => undefined);
  }

  /** The queue of this name, opened once. */
  queue(name: string): Queue {
    const open = this.#queues.get(name);
    if (open !== undefined) return open;
    const queue = new Queue(name, { connection: this.#redis, prefix: this.#prefix });
    queue.on("error", () => undefined);
    this.#queues.set(name, queue);
    return queue;
  }

  /**
   * Adds the flow of a phase, unless it is there. When every shard is already claimed, and they are few, they are part
   * of the one atomic add; otherwise a gate holds the parent until the last one is released. A direct phase has no flow.
   *
   * @param known.hasFlow whether it is there
   * @param known.jobCount shards that get a job, of their own or in a block: all but those that were reused
   */
  async addFlow(
    phase: FlowPhase,
    claimed: readonly ClaimedShard[],
    { hasFlow, jobCount }: { readonly hasFlow: boolean; readonly jobCount: number },
  ): Promise<void> {
    if (isDirect(phase.definition) || hasFlow) return this.admit(phase, claimed);
    const ranks = ranksInFlight(phase, claimed);
    const isWhole = countShards(claimed) === jobCount && claimed.length <= FIRST_IN_FLOW;
    const first = claimed.slice(0, FIRST_IN_FLOW).filter(({ again }) => isWhole || !again);
    const leaves = first.map((shard, i) => this.#shardNode(phase, shard, ranks[i] ?? 1));
    await untilAccepted(() => this.#flows.add(settleNode(phase, isWhole ? leaves : [gateNode(phase), ...leaves])));
    if (!isWhole) {
      const isThere = new Set(first);
      await this.admit(
        phase,
        claimed.filter((shard) => !isThere.has(shard)),
      );
    }
  }

  /** Whether the flow of a phase was added; a direct phase never has one. */
  hasFlow(runId: string, { phase, revision }: PhaseRef): Promise<boolean> {
    return this.#exists(SCHEDULER_QUEUE, jobIds.settle(runId, phase, revision));
  }

  /**
   * Puts back what is missing of a phase's flow, held by a gate; jobs that are there stay as they are. Its shards
   * are put back by {@link Queues.restoreShard}.
   */
  async restoreFlow(phase: FlowPhase): Promise<void> {
    if (isDirect(phase.definition)) return;
    await untilAccepted(() => this.#flows.add(settleNode(phase, [gateNode(phase)])));
  }

  /** Puts the only shards of direct phases on their queues, all at once. Doing it twice is harmless. */
  async admitDirect(phases: readonly FlowPhase[]): Promise<void> {
    const byQueue = new Map<string, ShardNode[]>();
    for (const [i, phase] of phases.entries()) {
      const node = this.#shardNode(phase, { shard: 0, size: 1 }, Math.max(0, phase.inFlight - phases.length) + i + 1);
      byQueue.set(node.queueName, [...(byQueue.get(node.queueName) ?? []), node]);
    }
    await Promise.all([...byQueue].map(([queue, nodes]) => this.#addNodes(queue, nodes)));
  }

  /** Makes a shard's job a child of its phase's flow; one that is gone is put back, to start after `delayMs`. */
  async restoreShard(phase: FlowPhase, shard: ShardRef, delayMs = 0): Promise<void> {
    await this.#addShards(phase, [{ ...shard, size: 1 }], [phase.inFlight], delayMs);
  }

  /** Makes a block's job a child of its phase's flow again. */
  async restoreBlock(phase: FlowPhase, block: BlockRef): Promise<void> {
    await this.#addShards(phase, [block], [phase.inFlight]);
  }

  /** Gives shards that were in a block jobs of their own; one that has one keeps it. */
  async admitFromBlock(phase: FlowPhase, leaving: readonly LeavingShard[], nowMs: number): Promise<void> {
    const [later, atOnce] = [true, false].map((isLater) =>
      leaving.filter(({ notBeforeMs }) => notBeforeMs > nowMs === isLater),
    );
    const { phase: id, revision } = phase;
    const shards = (atOnce ?? []).map(({ shard }) => ({ phase: id, revision, shard, size: 1 }));
    for (let i = 0; i < shards.length; i += ADD_CHUNK) {
      const chunk = shards.slice(i, i + ADD_CHUNK);
      await this.#addShards(
        phase,
        chunk,
        chunk.map(() => phase.inFlight),
      );
    }
    for (const { shard, notBeforeMs } of later ?? []) {
      await this.restoreShard(phase, { phase: id, revision, shard }, notBeforeMs - nowMs);
    }
  }

  /** Lets a delayed job of a shard start now. One that a worker is just delaying is waited for. */
  async wakeShard(queueName: string, id: string): Promise<void> {
    for (let i = 0; i < SETTLING_TRIES; i += 1) {
      const job = await this.queue(queueName).getJob(id);
      const state = await job?.getState();
      if (job !== undefined && state === "delayed") return promote(job);
      if (state !== "active") return;
      await settling();
    }
  }

  /** Lets a job that has failed, or ended otherwise, run again. */
  async runAgain(queueName: string, id: string): Promise<void> {
    const job = await this.queue(queueName).getJob(id);
    const state = await job?.getState();
    if (state === "failed" || state === "completed") await job?.retry(state);
  }

  /** Puts claimed shards on their queue, under their waiting parent. Doing it twice is harmless. */
  async admit(phase: FlowPhase, claimed: readonly ClaimedShard[]): Promise<void> {
    const fresh = claimed.filter((shard) => !shard.again);
    const ranks = ranksInFlight(phase, fresh);
    for (let i = 0; i < fresh.length; i += ADD_CHUNK) {
      await this.#addShards(phase, fresh.slice(i, i + ADD_CHUNK), ranks.slice(i, i + ADD_CHUNK));
    }
    const again = claimed.filter((shard) => shard.again);
    const isThere = await this.#areThere(phase, again);
    const gone = again.filter((_shard, i) => !isThere[i]);
    for (let i = 0; i < gone.length; i += ADD_CHUNK) {
      const chunk = gone.slice(i, i + ADD_CHUNK);
      await this.#addShards(
        phase,
        chunk,
        chunk.map(() => phase.inFlight),
      );
    }
    for (const [i, shard] of again.entries()) if (isThere[i]) await this.#readmit(phase, shard);
  }

  /** Lets a phase that tolerates them go on without its failed shards: their jobs no longer hold the aggregate. */
  async releaseFailed(phase: FlowPhase, shards: readonly number[]): Promise<void> {
    const queue = this.queue(shardQueue(phase.definition.pool));
    for (const shard of shards) {
      const job = await queue.getJob(jobIds.shard(phase.runId, { ...phase, shard }));
      await job?.removeChildDependency();
    }
  }

  /**
   * Runs `action` on behalf of a job that this process is working on, and that will ask the ledger again
   * afterwards: putting that very job on its queue must not wait for its end.
   */
  async onBehalfOf<T>(jobId: string, action: () => Promise<T>): Promise<T> {
    this.#ownJobs.add(jobId);
    try {
      return await action();
    } finally {
      this.#ownJobs.delete(jobId);
    }
  }

  /** Lets the parent of a fully released phase run once its shards are in. */
  async removeGate(runId: string, { phase, revision }: PhaseRef): Promise<void> {
    await this.queue(GATES_QUEUE).remove(jobIds.gate(runId, phase, revision));
  }

  /** Adds a scheduler job; one with this id that exists is left as it is. */
  async addSchedulerJob(id: string, data: SchedulerJob, delayMs = 0): Promise<void> {
    const name = "phase" in data ? `${data.kind} ${data.phase}` : data.kind;
    const opts: JobsOptions = { ...SCHEDULER_RETRIES, jobId: id, removeOnComplete: KEEP_COMPLETED, delay: delayMs };
    await this.queue(SCHEDULER_QUEUE).add(name, data, opts);
  }

  /** Has the sweep's job repeated every so often, also after somebody removed it. */
  async ensureSweep(everyMs: number): Promise<void> {
    const queue = this.queue(SCHEDULER_QUEUE);
    const next = (await queue.getJobScheduler("sweep"))?.next;
    if (next !== undefined && (await this.#exists(SCHEDULER_QUEUE, `repeat:sweep:${next}`))) return;
    const data: SchedulerJob = { kind: "sweep" };
    const opts = { removeOnComplete: { count: 10 }, removeOnFail: { count: 10 } };
    await queue.upsertJobScheduler("sweep", { every: everyMs }, { name: "sweep", data, opts });
  }

  /** Retries the aggregate of a phase, if it has failed. @returns whether there is one */
  async retryAggregate(runId: string, { phase, revision }: PhaseRef): Promise<boolean> {
    const job = await this.queue(AGGREGATE_QUEUE).getJob(jobIds.aggregate(runId, phase, revision));
    if (job === undefined) return false;
    // its failure may be on record a moment before its worker has put it away
    for (let i = 0; i < SETTLING_TRIES && (await job.isActive()); i += 1) await settling();
    if (await job.isFailed()) await job.retry("failed");
    return true;
  }

  /**
   * Takes what is left of a phase's flow off the queues. Jobs whose end a worker is just recording are waited
   * for; one that is held for longer stays, and so does its flow.
   */
  async removeFlow(runId: string, { phase, revision }: PhaseRef, definition: CompiledPhase): Promise<void> {
    const isAlone = isDirect(definition);
    const queue = this.queue(isAlone ? shardQueue(definition.pool) : SCHEDULER_QUEUE);
    const id = isAlone ? jobIds.shard(runId, { phase, revision, shard: 0 }) : jobIds.settle(runId, phase, revision);
    for (let i = 0; i < SETTLING_TRIES; i += 1) {
      const root = await queue.getJob(id);
      if (root === undefined || (!isAlone && (await root.getState()) !== "waiting-children")) return;
      try {
        return await root.remove({ removeChildren: true });
      } catch (error) {
        if (!isLocked(error)) throw error;
      }
      await settling();
    }
  }

  /** Closes every queue; the connection stays open. */
  async close(): Promise<void> {
    await Promise.all([this.#flows.close(), ...[...this.#queues.values()].map((queue) => queue.close())]);
  }

  /** Which of these shards have a job. */
  async #areThere({ runId, definition }: FlowPhase, shards: readonly ShardRef[]): Promise<boolean[]> {
    if (shards.length === 0) return [];
    const reads = this.#redis.pipeline();
    for (const shard of shards)
      reads.exists(`${this.#prefix}:${shardQueue(definition.pool)}:${jobIds.shard(runId, shard)}`);
    return ((await reads.exec()) ?? []).map(([error, value]) => {
      if (error !== null) throw error;
      return value === 1;
    });
  }

  async #exists(queueName: string, id: string): Promise<boolean> {
    return (await this.#redis.exists(`${this.#prefix}:${queueName}:${id}`)) === 1;
  }

  async #addShards(phase: FlowPhase, shards: readonly BlockRef[], ranks: readonly number[], delay = 0): Promise<void> {
    const parent = isDirect(phase.definition)
      ? {}
      : {
          parent: {
            id: jobIds.aggregate(phase.runId, phase.phase, phase.revision),
            queue: `${this.#prefix}:${AGGREGATE_QUEUE}`,
          },
        };
    const nodes = shards.map((shard, i) => this.#shardNode(phase, shard, ranks[i] ?? 1));
    await this.#addNodes(shardQueue(phase.definition.pool), nodes, { ...parent, delay });
  }

  async #addNodes(queueName: string, nodes: readonly ShardNode[], more: JobsOptions = {}): Promise<void> {
    const jobs = nodes.map(({ name, data, opts }) => ({ name, data, opts: { ...opts, ...more } }));
    for (let tries = 1; ; tries += 1) {
      const added = await this.queue(queueName).addBulk(jobs);
      const refused = added.find((job, i) => job.id !== jobs[i]?.opts.jobId);
      if (refused === undefined) return;
      // whoever opens the phase may not have added its flow yet
      if (String(refused.id) !== PARENT_MISSING || tries === SETTLING_TRIES) {
        const code = `code ${refused.id}`;
        throw new StoreError(
          "JOB_REFUSED",
          `redis refused shard job ${refused.name} of ${refused.data.run_id}: ${code}`,
        );
      }
      await settling();
    }
  }

  /** @param nth the shard is the nth of its run in flight: later ones wait for those of other runs */
  #shardNode(phase: FlowPhase, { shard, size }: Pick<BlockRef, "shard" | "size">, nth: number): ShardNode {
    const { runId: run_id, revision, shardCount: shard_count } = phase;
    const one: ShardJob = { run_id, phase: phase.phase, revision, shard, shard_count };
    const data = size === 1 ? one : { ...one, size };
    const ref = { phase: phase.phase, revision, shard };
    const jobId = size === 1 ? jobIds.shard(run_id, ref) : jobIds.block(run_id, { ...ref, size });
    const priority = jobPriority(phase.definition.priority, nth);
    const opts = { ...SHARD_RETRIES, jobId, priority, removeOnComplete: KEEP_COMPLETED, keepLogs: KEEP_LOG_ROWS };
    return { name: shardJobName(data), queueName: shardQueue(phase.definition.pool), data, opts };
  }

  async #readmit(phase: FlowPhase, shard: ClaimedShard): Promise<void> {
    const queue = this.queue(shardQueue(phase.definition.pool));
    const id = jobIds.shard(phase.runId, shard);
    for (let i = 0; i < SETTLING_TRIES; i += 1) {
      const job = await queue.getJob(id);
      if (job === undefined) return this.restoreShard(phase, shard);
      const state = await job.getState();
      if (state === "failed") return job.retry("failed");
      if (state === "delayed") return promote(job);
      if (state !== "active" || this.#ownJobs.has(id)) return;
      await settling();
    }
    throw new StoreError("JOB_REFUSED", `job ${id} is still held by a worker; the next sweep tries again`);
  }
}

/** Which of its run's shards in flight each of those being released is, from 1; a block counts as its first shard. */
function ranksInFlight({ inFlight }: FlowPhase, released: readonly ClaimedShard[]): number[] {
  let before = Math.max(0, inFlight - countShards(released));
  return released.map(({ size }) => {
    before += size;
    return before - size + 1;
  });
}

/** Title of a job in a queue dashboard: `compile[3/11]`, `split` for an unsharded phase, `compile[0-9/11]` for a block. */
function shardJobName(job: ShardJob | BlockJob): string {
  if ("size" in job) return `${job.phase}[${job.shard}-${job.shard + job.size - 1}/${job.shard_count}]`;
  return job.shard_count === 1 ? job.phase : `${job.phase}[${job.shard}/${job.shard_count}]`;
}

/** The whole flow of a phase, over these leaves. */
function settleNode(phase: FlowPhase, leaves: FlowJobNode[]): FlowJobNode {
  const { runId: run_id, revision } = phase;
  const data: SchedulerJob = { kind: "settle", run_id, phase: phase.phase, revision };
  const opts = { ...SCHEDULER_RETRIES, jobId: jobIds.settle(run_id, phase.phase, revision) };
  return {
    name: `settle ${phase.phase}`,
    queueName: SCHEDULER_QUEUE,
    data,
    opts,
    ...childrenOf([aggregateNode(phase, leaves)]),
  };
}

/** A parent with an empty list of children would wait for ever. */
function childrenOf(children: FlowJobNode[]): { children?: FlowJobNode[] } {
  return children.length === 0 ? {} : { children };
}

function gateNode(phase: FlowPhase): FlowJobNode {
  const jobId = jobIds.gate(phase.runId, phase.phase, phase.revision);
  return { name: `gate ${phase.phase}`, queueName: GATES_QUEUE, data: { run_id: phase.runId }, opts: { jobId } };
}

function aggregateNode(phase: FlowPhase, children: FlowJobNode[]): FlowJobNode {
  const { runId: run_id, revision, shardCount: shard_count } = phase;
  const opts = {
    jobId: jobIds.aggregate(run_id, phase.phase, revision),
    attempts: 3,
    backoff: { type: "fixed", delay: 1_000 },
  };
  const data = { run_id, phase: phase.phase, revision, shard_count };
  const name = `aggregate ${phase.phase}`;
  return { name, queueName: AGGREGATE_QUEUE, data, opts, ...childrenOf(children) };
}

/** Lets a delayed job start; somebody else may just have done so. */
async function promote(job: Job): Promise<void> {
  try {
    await job.promote();
  } catch (error) {
    if ((await job.getState()) === "delayed") throw error;
  }
}

function settling(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLING_PAUSE_MS));
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && /lock/i.test(error.message);
}
