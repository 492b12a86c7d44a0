import type { ArtifactStore } from "./artifacts/artifact-store.ts";
import { AttemptLogs } from "./attempt-logs.ts";
import { Consumptions } from "./consumptions.ts";
import { FlowStates } from "./flow-states.ts";
import { EnrolledArtifacts } from "./artifacts/enrolled-artifacts.ts";
import { JobRemovals } from "./job-removals.ts";
import { Journal } from "./journal.ts";
import { Drains } from "./drains.ts";
import { DEFAULT_PREFIX, Keys } from "./keys.ts";
import { Ledger } from "./ledger.ts";
import { Locks } from "./locks.ts";
import { PhaseCompletions } from "./phase-completions.ts";
import type { PlanSigner } from "./plan-signer.ts";
import { Pools } from "./pools.ts";
import { Queues } from "./queues.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { ReuseIndex } from "./reuse-index.ts";
import { RunRemovals } from "./run-removals.ts";
import { RunIndex } from "./run-index.ts";
import { RunStore } from "./run-store.ts";
import { Semaphores } from "./semaphores.ts";
import { Signals } from "./signals.ts";
import { Templates } from "./templates.ts";
import { WorkerFacts } from "./worker-facts.ts";

/** Everything a process of a deployment shares with the others. */
export interface Store {
  readonly redis: RedisClient;
  readonly keys: Keys;
  readonly runs: RunStore;
  readonly index: RunIndex;
  readonly ledger: Ledger;
  readonly completions: PhaseCompletions;
  readonly locks: Locks;
  readonly semaphores: Semaphores;
  readonly pools: Pools;
  readonly journal: Journal;
  readonly queues: Queues;
  readonly flows: FlowStates;
  readonly consumptions: Consumptions;
  readonly logs: AttemptLogs;
  readonly signals: Signals;
  readonly drains: Drains;
  readonly workerFacts: WorkerFacts;
  readonly templates: Templates;
  readonly artifacts: EnrolledArtifacts;
  readonly reuse: ReuseIndex;
  readonly removals: RunRemovals;
  readonly jobRemovals: JobRemovals;
  /** Closes the queues and the connection. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens a deployment's store over a connection, which it then owns.
 *
 * @param signer signs and checks plans; without one they are neither signed nor checked
 */
export function openStore(
  redis: RedisClient,
  artifacts: ArtifactStore,
  prefix: string = DEFAULT_PREFIX,
  signer?: PlanSigner,
): Store {
  const keys = new Keys(prefix);
  const queues = new Queues(redis, keys);
  const signals = new Signals(redis, keys);
  let closing: Promise<void> | undefined;
  return {
    redis,
    keys,
    runs: new RunStore(redis, keys, signer),
    index: new RunIndex(redis, keys),
    ledger: new Ledger(redis, keys),
    completions: new PhaseCompletions(redis, keys),
    locks: new Locks(redis, keys),
    semaphores: new Semaphores(redis, keys),
    pools: new Pools(redis, keys, queues),
    journal: new Journal(redis, keys),
    queues,
    flows: new FlowStates(redis, keys),
    consumptions: new Consumptions(redis, keys),
    logs: new AttemptLogs(redis, keys),
    signals,
    drains: new Drains(redis, keys, signals),
    workerFacts: new WorkerFacts(redis, keys),
    templates: new Templates(redis, keys, signer),
    artifacts: new EnrolledArtifacts(artifacts, redis, keys),
    reuse: new ReuseIndex(redis, keys),
    removals: new RunRemovals(redis, keys),
    jobRemovals: new JobRemovals(redis, queues),
    close() {
      closing ??= queues.close().finally(() => redis.disconnect());
      return closing;
    },
  };
}
