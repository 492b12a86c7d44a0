import type { CompiledPhase, PhaseLedger } from "@fanfold/schemas";
import { nameHolders, type PoolFacts, type ShardFacts, type WhyFacts } from "./admission-facts.ts";
import { formatDuration } from "./human-format.ts";
import type { WhyReason } from "./why.ts";

/** A phase that was opened. */
export interface OpenPhase {
  readonly definition: CompiledPhase;
  readonly counts: PhaseLedger;
}

/** Why a shard of an open phase is not running. */
export function whyShard(facts: WhyFacts, phase: OpenPhase, shard: ShardFacts): WhyReason {
  switch (shard.status) {
    case "failed":
      return { code: "failed", why: `failed: ${shard.failure?.why ?? "for an unknown reason"}` };
    case "cancelled":
      return { code: "cancelled", why: "was cancelled" };
    case "backoff":
      return whyBackoff(facts, shard);
    case "released":
      return whyQueued(facts, phase.definition.pool);
    case "waiting":
      return whyNoSlot(facts, phase);
    case "spawned":
      return whySpawned(facts, phase, shard);
    case "running":
      return { code: "running", why: "runs" };
    case "succeeded":
      return { code: "succeeded", why: "has succeeded" };
  }
}

/** What it spawned and has not succeeded yet. */
function whySpawned({ planned, phases, run }: WhyFacts, { definition }: OpenPhase, { shard }: ShardFacts): WhyReason {
  if (run.stop !== null) return { code: "stopped", why: "the run is stopped" };
  const children = planned.plan.phases.filter(
    ({ id, spawned }) =>
      spawned?.phase === definition.id && spawned.shard === shard && phases.get(id)?.status !== "succeeded",
  );
  const names = children.slice(0, 3).map(({ id }) => `${id} (${phases.get(id)?.status ?? "pending"})`);
  const more = children.length > names.length ? ` and ${children.length - names.length} more` : "";
  return { code: "waits_for_spawned", why: `waits for ${names.join(", ") || "what it spawned"}${more}` };
}

/** Why a shard that could run has no slot: the first cap that is full. */
export function whyNoSlot(facts: WhyFacts, { definition, counts }: OpenPhase): WhyReason {
  const { run, planned, holders } = facts;
  if (run.paused) return { code: "paused", why: "the run is paused" };
  if (run.stop !== null) return { code: "stopped", why: "the run is stopped" };
  const ofRun = planned.plan.max_concurrency;
  if (ofRun !== null && holders.length >= ofRun) {
    return { code: "run_cap", why: `max_concurrency ${ofRun} of the run is full, ${heldBy(facts, holders)}` };
  }
  const inPhase = holders.filter(({ phase }) => phase === definition.id);
  if (counts.max_parallel > 0 && counts.in_flight >= counts.max_parallel) {
    return { code: "phase_cap", why: `max_parallel ${counts.max_parallel} is full, ${heldBy(facts, inPhase)}` };
  }
  const key = definition.concurrency_key === null ? undefined : facts.keys.get(definition.concurrency_key.name);
  if (key !== undefined && definition.concurrency_key !== null) {
    const { name } = definition.concurrency_key;
    const ahead = key.waiters.indexOf(run.run_id);
    if (key.in_use >= key.limit) {
      return { code: "key_cap", why: `concurrency key ${name} (${key.limit}) is full, ${heldBy(facts, key.holders)}` };
    }
    if (ahead > 0) return { code: "key_cap", why: `${key.waiters[0]} comes first for concurrency key ${name}` };
  }
  if (counts.in_flight >= counts.window) {
    return { code: "window", why: `${counts.in_flight} shards of the phase are queued or run already` };
  }
  return { code: "ready", why: "is about to be put on its queue" };
}

function whyBackoff({ now_ms: nowMs, run }: WhyFacts, { until_ms: untilMs, failure }: ShardFacts): WhyReason {
  if (run.paused) return { code: "paused", why: "the run is paused" };
  const why = failure === undefined ? "" : `, after: ${failure.why}`;
  if (untilMs === undefined || untilMs <= nowMs) return { code: "ready", why: `is about to be tried again${why}` };
  const until = new Date(untilMs).toISOString();
  return { code: "backoff", why: `waits ${formatDuration(untilMs - nowMs)} more, until ${until}${why}` };
}

/** A shard on its queue: what keeps workers from it. */
function whyQueued(facts: WhyFacts, name: string): WhyReason {
  if (facts.run.paused) return { code: "paused", why: "the run is paused" };
  const pool = facts.pools.get(name);
  if (pool === undefined || pool.workers?.length === 0) return { code: "no_worker", why: noWorker(facts.pools, name) };
  if (pool.concurrency !== null && pool.active >= pool.concurrency) {
    return { code: "pool_cap", why: `pool ${name} runs as many as it may: ${pool.concurrency}` };
  }
  if (pool.held_back_ms > 0 && pool.rate !== null) {
    const { max, duration_ms: durationMs } = pool.rate;
    const rate = `${max} in ${formatDuration(durationMs)}`;
    return { code: "pool_cap", why: `pool ${name} has had its ${rate}; next in ${formatDuration(pool.held_back_ms)}` };
  }
  const workers = pool.workers === null ? "" : ` (${pool.workers.length})`;
  return { code: "workers_busy", why: `is queued: the workers of pool ${name}${workers} are at other shards` };
}

/** That a pool has no worker, and which pools have. */
export function noWorker(pools: ReadonlyMap<string, Pick<PoolFacts, "workers">>, name: string): string {
  const served = [...pools].filter(([, { workers }]) => (workers?.length ?? 0) > 0).map(([pool]) => pool);
  const others = served.length === 0 ? "no pool has one" : `pools with workers: ${served.sort().join(", ")}`;
  return `no worker serves pool ${name}; ${others}`;
}

function heldBy({ run }: WhyFacts, holders: WhyFacts["holders"]): string {
  return `held by ${holders.length === 0 ? "nobody by now" : nameHolders(holders, run.run_id)}`;
}
