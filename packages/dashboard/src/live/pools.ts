import { type PoolDocument, type ShardJob, ShardJobSchema, type WorkerDocument } from "@fanfold/schemas";
import { type Store, shardQueue } from "@fanfold/store";
import { listQueues } from "../server/list-queues.ts";

/** How long the list of pools is good: finding them walks over all keys, in ms. */
const FRESH_MS = 10_000;

/** Running shards of a pool that are asked about, and shards that are named of one worker. */
const MAX_ACTIVE_JOBS = 1_000;
const MAX_SHARDS = 20;

/** A connection of a worker to one of its queues, as Redis tells of it. */
interface Connection {
  readonly pool: string;
  readonly name: string;
  readonly address: string | null;
  readonly ageSec: number;
}

/** The pools of a deployment, with their queues and workers. */
export class Pools {
  readonly #store: Store;
  readonly #stop: AbortSignal;
  #names: Promise<string[]> | undefined;
  #listedAtMs = 0;

  constructor(store: Store, stop: AbortSignal) {
    this.#store = store;
    this.#stop = stop;
  }

  /** Names of the pools that have had a worker or work, at most {@link FRESH_MS} old. */
  names(): Promise<string[]> {
    if (this.#names !== undefined && Date.now() - this.#listedAtMs < FRESH_MS) return this.#names;
    this.#listedAtMs = Date.now();
    this.#names = this.#list().catch((error: unknown) => {
      this.#names = undefined;
      throw error;
    });
    return this.#names;
  }

  /** The pools. */
  async list(): Promise<PoolDocument[]> {
    return Promise.all((await this.names()).map((pool) => this.#read(pool)));
  }

  /** The workers that are connected. */
  async workers(): Promise<WorkerDocument[]> {
    const lists = await Promise.all((await this.names()).map((pool) => this.#connections(pool)));
    const byName = new Map<string, Connection[]>();
    for (const connection of lists.flat()) {
      byName.set(connection.name, [...(byName.get(connection.name) ?? []), connection]);
    }
    const sorted = [...byName].sort(([a], [b]) => a.localeCompare(b, "en"));
    const names = sorted.map(([name]) => name);
    const [jobs, told, askedAt, nowMs] = await Promise.all([
      this.#activeJobs(),
      this.#store.workerFacts.findConcurrency(names),
      this.#store.drains.find(names),
      this.#store.drains.nowMs(),
    ]);
    return sorted.map(([name, connections], index) => {
      const age_sec = Math.max(...connections.map(({ ageSec }) => ageSec));
      // whole seconds are known of its age; a request that is older was for another worker of the name
      const is_draining = (askedAt[index] ?? 0) > nowMs - (age_sec + 1) * 1_000;
      const address = connections[0]?.address ?? null;
      const pools = [...new Set(connections.map(({ pool }) => pool))];
      const own = jobs.get(name) ?? [];
      const shards = own.slice(0, MAX_SHARDS).map(({ run_id, phase, shard }) => ({ run_id, phase, shard }));
      const concurrency = told[index] ?? null;
      const slots = concurrency === null ? null : concurrency * connections.length;
      return { name, pools, address, age_sec, concurrency, slots, active: own.length, shards, is_draining };
    });
  }

  /** The shards that each worker is at, by its name. */
  async #activeJobs(): Promise<Map<string, ShardJob[]>> {
    const lists = await Promise.all(
      (await this.names()).map((pool) =>
        this.#store.queues.queue(shardQueue(pool)).getJobs(["active"], 0, MAX_ACTIVE_JOBS, true),
      ),
    );
    const byWorker = new Map<string, ShardJob[]>();
    for (const job of lists.flat()) {
      const data = ShardJobSchema.safeParse(job?.data).data;
      const worker = job?.processedBy;
      if (data !== undefined && worker !== undefined) byWorker.set(worker, [...(byWorker.get(worker) ?? []), data]);
    }
    return byWorker;
  }

  /** Asks a worker to stop. @returns whether there is one of this name */
  async drain(name: string): Promise<boolean> {
    if (!(await this.workers()).some((worker) => worker.name === name)) return false;
    await this.#store.drains.request(name);
    return true;
  }

  /** When the job that waits longest in a pool was added, Unix ms; undefined when none waits. */
  async oldestWaitMs(pool: string): Promise<number | undefined> {
    const queue = this.#store.queues.queue(shardQueue(pool));
    const jobs = await queue.getJobs(["waiting", "prioritized"], 0, 0, true);
    const times = jobs.flatMap((job) => (job === undefined ? [] : [job.timestamp]));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  async #list(): Promise<string[]> {
    const opening = shardQueue("");
    const queues = await listQueues(this.#store, { signal: this.#stop });
    return queues.flatMap(({ name }) => (name.startsWith(opening) ? [name.slice(opening.length)] : []));
  }

  async #read(pool: string): Promise<PoolDocument> {
    const queue = this.#store.queues.queue(shardQueue(pool));
    const [counts, connections] = await Promise.all([
      queue.getJobCounts("waiting", "prioritized", "active", "delayed", "failed"),
      this.#connections(pool),
    ]);
    const of = (...states: string[]): number => states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
    return {
      pool,
      workers: new Set(connections.map(({ name }) => name)).size,
      waiting: of("waiting", "prioritized"),
      active: of("active"),
      delayed: of("delayed"),
      failed: of("failed"),
    };
  }

  async #connections(pool: string): Promise<Connection[]> {
    const workers = await this.#store.queues.queue(shardQueue(pool)).getWorkers();
    return workers.map((worker) => ({
      pool,
      name: nameOf(worker),
      address: worker["addr"] ?? null,
      ageSec: Number(worker["age"] ?? 0),
    }));
  }
}

/** BullMQ puts the queue into `name` and the whole name of the connection into `rawname`. */
function nameOf(worker: Readonly<Record<string, string>>): string {
  return /:w:(.+)$/.exec(worker["rawname"] ?? "")?.[1] ?? worker["name"] ?? "unnamed";
}
