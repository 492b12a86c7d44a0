import type { PlanInput } from "@fanfold/schemas";
import { parseShardId, shardId } from "@fanfold/store";

/** Most shards of a run in flight. */
export const RUN_CAP = 3;
/** Most shards in flight of all phases with the key, over all runs. */
export const KEY = { name: "shared", limit: 2 };
/** Extra tries of a shard after its first. */
export const RETRIES = 1;
interface PhaseCaps {
  readonly shards: number;
  readonly cap: number;
  readonly hasKey: boolean;
}

/** Shards and cap of each phase. */
export const PHASES: Readonly<Record<string, PhaseCaps | undefined>> = {
  left: { shards: 4, cap: 2, hasKey: true },
  right: { shards: 3, cap: 2, hasKey: false },
  join: { shards: 3, cap: 2, hasKey: true },
};

/** Two phases side by side, one of which lets the run go on when it fails, and a third after them. */
export const PLAN: PlanInput = {
  plan_id: "model",
  version: "1",
  globals: { max_concurrency: RUN_CAP, default_retries: RETRIES },
  phases: [
    fan("left", {}),
    fan("right", { on_failure: "continue" as const }),
    fan("join", { depends_on: ["left", "right"] }),
  ],
};

function fan<Extra extends object>(id: string, extra: Extra) {
  const { shards = 1, cap = 1, hasKey = false } = PHASES[id] ?? {};
  return {
    id,
    command: "true",
    max_parallel: cap,
    shard: { strategy: "chunk" as const, over: Array.from({ length: shards }, (_, n) => n), chunk_size: 1 },
    merge: { strategy: "concat" as const },
    ...(hasKey ? { concurrency_key: KEY } : {}),
    ...extra,
  };
}

/** Ids of all shards of a run, in order. */
export const SHARD_IDS: readonly string[] = Object.entries(PHASES).flatMap(([phase, caps]) =>
  Array.from({ length: caps?.shards ?? 0 }, (_, shard) => shardId({ phase, revision: 1, shard })),
);

/** Phase of a shard. */
export function phaseOf(id: string): string {
  return parseShardId(id).phase;
}
