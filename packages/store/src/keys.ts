/** Prefix of a deployment when none is configured. The braces put every key into one cluster slot. */
export const DEFAULT_PREFIX = "{fanfold}";

/** Queue that carries settle, start and report jobs. */
export const SCHEDULER_QUEUE = "scheduler";
/** Queue of the jobs that fold shard outputs. */
export const AGGREGATE_QUEUE = "aggregate";
/** Queue that no worker serves: its jobs hold an aggregate until the last shard is released. */
export const GATES_QUEUE = "gates";

/** Queue of a pool's shards. */
export function shardQueue(pool: string): string {
  return `shards.${pool}`;
}

/** Pool of a queue of shards. */
export function poolOf(queue: string): string {
  return queue.slice(shardQueue("").length);
}

/** A phase in the making of a revision. */
export interface PhaseRef {
  readonly phase: string;
  readonly revision: number;
}

/** A shard within its run. Also the last part of its job id and its field in the shards hash. */
export interface ShardRef {
  readonly phase: string;
  readonly revision: number;
  readonly shard: number;
}

/** `<phase>.r<revision>.<shard>` */
export function shardId({ phase, revision, shard }: ShardRef): string {
  return `${phase}.r${revision}.${shard}`;
}

/** Consecutive shards of a phase whose first try is one job. */
export interface BlockRef extends ShardRef {
  /** Number of shards, the first of which is `shard`. */
  readonly size: number;
}

/** `<first shard>+<shards>`: a block within its phase. */
export function blockName({ shard, size }: Pick<BlockRef, "shard" | "size">): string {
  return `${shard}+${size}`;
}

/** Inverse of {@link blockName}. @throws {Error} when the text is no such name */
export function parseBlockName(name: string): Pick<BlockRef, "shard" | "size"> {
  const match = /^(\d+)\+(\d+)$/.exec(name);
  if (match === null) throw new Error(`not the name of a block: ${name}`);
  return { shard: Number(match[1]), size: Number(match[2]) };
}

/** `<phase>.r<revision>`: a phase in the making of one revision. */
export function phaseRevisionId(phase: string, revision: number): string {
  return `${phase}.r${revision}`;
}

/** Inverse of {@link shardId}. @throws {Error} when the text is not such an id */
export function parseShardId(id: string): ShardRef {
  const match = /^(.+)\.r(\d+)\.(\d+)$/.exec(id);
  if (match === null) throw new Error(`not the id of a shard: ${id}`);
  const [, phase = "", revision = "", shard = ""] = match;
  return { phase, revision: Number(revision), shard: Number(shard) };
}

/** Inverse of {@link phaseRevisionId}. @throws {Error} when the text is not such an id */
export function parsePhaseRevision(id: string): PhaseRef {
  const { phase, revision } = parseShardId(`${id}.0`);
  return { phase, revision };
}

/** What the job ids of a phase's shards begin with. */
export function shardJobsOf(runId: string, { phase, revision }: PhaseRef): string {
  return `${runId}.${phaseRevisionId(phase, revision)}.`;
}

/** Deterministic job ids: adding a job twice is harmless. */
export const jobIds = {
  start: (runId: string): string => `start.${runId}`,
  settle: (runId: string, phase: string, revision: number): string => `settle.${runId}.${phase}.r${revision}`,
  aggregate: (runId: string, phase: string, revision: number): string => `aggregate.${runId}.${phase}.r${revision}`,
  gate: (runId: string, phase: string, revision: number): string => `gate.${runId}.${phase}.r${revision}`,
  shard: (runId: string, ref: ShardRef): string => `${runId}.${shardId(ref)}`,
  block: (runId: string, ref: BlockRef): string =>
    `block.${runId}.${phaseRevisionId(ref.phase, ref.revision)}.${blockName(ref)}`,
  report: (runId: string, id: string, seq: number): string => `report.${runId}.${id}.${seq}`,
  spawn: (runId: string, ref: ShardRef, seq: number): string => `spawn.${runId}.${shardId(ref)}.${seq}`,
  timeout: (runId: string, atMs: number): string => `timeout.${runId}.${atMs}`,
  open: (runId: string, phase: string, revision: number, nowMs: number): string =>
    `open.${runId}.${phase}.r${revision}.${nowMs}`,
  collect: (slot: number): string => `collect.${slot}`,
  approvalTimeout: (runId: string, { phase, revision }: PhaseRef, atMs: number): string =>
    `approval-timeout.${runId}.${phase}.r${revision}.${atMs}`,
  lockTimeout: (runId: string, phase: string, revision: number): string =>
    `lock-timeout.${runId}.${phase}.r${revision}`,
} as const;

/** The Redis keys of one run. */
export interface RunKeys {
  /** Hash: the run record, the journal's `seq`, the `fence` counter, `in_flight` and the run's cap. */
  readonly run: string;
  /** String: the compiled plan, as JSON. */
  readonly plan: string;
  /** String: what the plan was compiled from, as JSON; absent where that is not known. */
  readonly source: string;
  /** Hash: phase → its record, as JSON. */
  readonly phases: string;
  /** Sorted set: phases by the version of the run that changed their record last. */
  readonly changed: string;
  /** Hash: phase revision → the record of an accepted revision that was run again since, as JSON. */
  readonly revisions: string;
  /** Stream: the journal; an entry's id is `<seq>-0`. */
  readonly journal: string;
  /** Hash: effects of committed decisions that are not carried out yet. */
  readonly outbox: string;
  /** Hash: phase → counts of the revision in the making, as JSON. */
  readonly ledger: string;
  /** Sorted set: phases with shards to release, by declaration order. */
  readonly open: string;
  /** Hash: shard id → its record, as JSON. */
  readonly shards: string;
  /** Set: shard ids on a queue that no worker has started. */
  readonly released: string;
  /** Set: shard ids that were started and are not done with: they run, are in backoff, or wait for what they spawned. */
  readonly started: string;
  /** List: shard ids that want a slot again, first come first served. */
  readonly waiting: string;
  /** Set: shard ids cancelled by a stop. */
  readonly cancelled: string;
  /** Set: phase revisions and shard ids cancelled by hand, until they are retried. */
  readonly recalled: string;
  /** Set: reused shards that are yet to be passed over: `<shard id>#<turn>`. */
  readonly ahead: string;
  /** Hash: claimant → shard ids it claimed and has not yet put on their queue. */
  readonly claims: string;
  /** Hash: phase revision → where its input records and shard plan are. */
  readonly inputs: string;
  /** Hash: phase revision → the artifacts its aggregate persisted. */
  readonly folds: string;
  /** Hash: phase revision and id of a set → the artifacts its attempts were given, as JSON. */
  readonly consumed: string;
  /** Hash: phase revision → sums of the metrics its attempts reported; and what each shard reported last. */
  readonly progress: string;
}

/** Builds every key of a deployment. Nothing else in the code spells a key. */
export class Keys {
  readonly prefix: string;

  constructor(prefix: string = DEFAULT_PREFIX) {
    this.prefix = prefix;
  }

  /** Sorted set: run ids by the time they were created. */
  get runs(): string {
    return `${this.prefix}:runs`;
  }

  /** Set: ids of the runs that are not over. */
  get liveRuns(): string {
    return `${this.prefix}:runs:live`;
  }

  /** Hash: concurrency key → its limit, the slots in use, and the runs that wait. */
  get semaphores(): string {
    return `${this.prefix}:semaphores`;
  }

  /** Hash: fingerprint of a shard → the shard whose output may be reused for it. */
  get reuse(): string {
    return `${this.prefix}:reuse`;
  }

  /** Hash: the shards that hold a slot of a concurrency key. */
  get holders(): string {
    return `${this.prefix}:semaphores:holders`;
  }

  /** Set: pools with a limit of their own. */
  get limitedPools(): string {
    return `${this.prefix}:pools:limited`;
  }

  /** BullMQ's keys of a pool's queue. List: jobs that wait. Sorted set: those of a priority. Hash: what is set for it. */
  queueOf(pool: string): { readonly waiting: string; readonly prioritized: string; readonly meta: string } {
    const base = `${this.prefix}:${shardQueue(pool)}`;
    return { waiting: `${base}:wait`, prioritized: `${base}:prioritized`, meta: `${base}:meta` };
  }

  /** Set: ids of the runs whose removal has begun. */
  get removingRuns(): string {
    return `${this.prefix}:runs:removing`;
  }

  /** String: the id under which this deployment is known in its artifact store. */
  get deployment(): string {
    return `${this.prefix}:deployment`;
  }

  /** Hash: `<name>@<version>` of a plan template → what is known of it. */
  get templates(): string {
    return `${this.prefix}:templates`;
  }

  /** Hash: `<name>@<version>` of a plan template → the text of its plan. */
  get templateTexts(): string {
    return `${this.prefix}:templates:texts`;
  }

  /** String: number of the version of a template that was added last. */
  get templateSeq(): string {
    return `${this.prefix}:templates:seq`;
  }

  /** Set: names of the locks that are held. */
  get locks(): string {
    return `${this.prefix}:locks`;
  }

  /** Hash: holder of a lock. Sorted set: who waits for it. */
  lock(name: string): { readonly lock: string; readonly waiters: string } {
    return { lock: `${this.prefix}:lock:${name}`, waiters: `${this.prefix}:lock:${name}:waiters` };
  }

  /** String: when the workers of a name were asked to stop, Unix ms; gone an hour later. */
  drain(worker: string): string {
    return `${this.prefix}:drain:${worker}`;
  }

  /** String: shards that a worker of this name runs at once, of each of its pools; gone 90 s after it last said so. */
  workerFacts(worker: string): string {
    return `${this.prefix}:worker:${worker}`;
  }

  /** Pub/sub channel: tells workers at once that a run was stopped, or that one of them is asked to stop. */
  get signals(): string {
    return `${this.prefix}:signals`;
  }

  /** A key that is never written, and a channel nobody listens to: for asking whether they would be permitted. */
  get probe(): string {
    return `${this.prefix}:probe`;
  }

  run(runId: string): RunKeys {
    const base = `${this.prefix}:run:${runId}`;
    return {
      run: base,
      plan: `${base}:plan`,
      source: `${base}:source`,
      phases: `${base}:phases`,
      changed: `${base}:changed`,
      revisions: `${base}:revisions`,
      journal: `${base}:journal`,
      outbox: `${base}:outbox`,
      ledger: `${base}:ledger`,
      open: `${base}:open`,
      shards: `${base}:shards`,
      released: `${base}:released`,
      started: `${base}:started`,
      waiting: `${base}:waiting`,
      cancelled: `${base}:cancelled`,
      recalled: `${base}:recalled`,
      ahead: `${base}:ahead`,
      claims: `${base}:claims`,
      inputs: `${base}:inputs`,
      folds: `${base}:folds`,
      consumed: `${base}:consumed`,
      progress: `${base}:progress`,
    };
  }

  /** Stream: the last output of a running attempt. */
  attemptLog(runId: string, ref: ShardRef, attempt: number): string {
    return `${this.prefix}:run:${runId}:log:${shardId(ref)}:${attempt}`;
  }
}
