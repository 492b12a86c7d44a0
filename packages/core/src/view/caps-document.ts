import type { SlotHolderFacts } from "./admission-facts.ts";

/** A cap as it stands: what it is of, how much it allows, who fills it, and how much waits. */
export interface CapDocument {
  readonly kind: "run" | "phase" | "key" | "pool";
  /** Run, `<run>/<phase>`, key or pool. */
  readonly name: string;
  /** Shards at once; `null` for a pool that has only a rate. */
  readonly limit: number | null;
  /** Starts of a pool in a time. */
  readonly rate: { readonly max: number; readonly duration_ms: number } | null;
  /** Whether it was set for the deployment, not by a plan. */
  readonly is_set: boolean;
  readonly in_use: number;
  /** Shards that wait; of a key, the runs that do. */
  readonly waiting: number;
  readonly holders: readonly SlotHolderFacts[];
}
