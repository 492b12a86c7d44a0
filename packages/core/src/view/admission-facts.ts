import type { Failure, PhaseLedger, PhaseRecord, RunRecord, ShardStatus } from "@fanfold/schemas";
import type { PlannedRun } from "../run/run-state.ts";

/** A shard that holds a slot: it runs, or is on its queue. */
export interface SlotHolderFacts {
  readonly run_id: string;
  readonly phase: string;
  readonly shard: number;
  /** `null` before the first attempt, as are the next two. */
  readonly attempt: number | null;
  readonly worker: string | null;
  /** When its attempt was started, Unix ms. */
  readonly since_ms: number | null;
}

/** A cap that several runs share, and who fills it. */
export interface KeyFacts {
  readonly limit: number;
  readonly in_use: number;
  readonly holders: readonly SlotHolderFacts[];
  /** Runs that wait in line. */
  readonly waiters: readonly string[];
}

/** A pool: its workers by name, and what it may run at once. */
export interface PoolFacts {
  /** `null` when the server does not say who is connected. */
  readonly workers: readonly string[] | null;
  readonly concurrency: number | null;
  readonly rate: { readonly max: number; readonly duration_ms: number } | null;
  readonly active: number;
  /** How long the rate limit still holds the pool back, ms. */
  readonly held_back_ms: number;
}

/** A shard that neither runs nor succeeded, as the ledger has it. */
export interface ShardFacts {
  readonly shard: number;
  readonly status: ShardStatus;
  readonly until_ms?: number | undefined;
  readonly failure?: Failure | undefined;
}

/** What decides why something of a run is not running, as it stood at one moment. */
export interface WhyFacts {
  readonly now_ms: number;
  readonly planned: PlannedRun;
  readonly run: RunRecord;
  readonly phases: ReadonlyMap<string, PhaseRecord>;
  /** Counts of the phases that were opened. */
  readonly counts: ReadonlyMap<string, PhaseLedger>;
  /** Shards of the run that hold a slot. */
  readonly holders: readonly SlotHolderFacts[];
  readonly keys: ReadonlyMap<string, KeyFacts>;
  /** Lock → the phase that holds it, such as `push of run_1`. */
  readonly locks: ReadonlyMap<string, string>;
  /** The pools of the plan, and every other one with a worker. */
  readonly pools: ReadonlyMap<string, PoolFacts>;
  /** Phase → its shards that neither run nor succeeded. */
  readonly shards: ReadonlyMap<string, readonly ShardFacts[]>;
}

/** Holders by name: at most three, the rest counted. */
export function nameHolders(holders: readonly SlotHolderFacts[], runId?: string): string {
  const names = holders.map(({ run_id, phase, shard }) => {
    const place = `${phase}[${shard}]`;
    return run_id === runId ? place : `${place} of ${run_id}`;
  });
  const more = names.length - MAX_NAMED;
  return `${names.slice(0, MAX_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const MAX_NAMED = 3;
