import type { ReuseEntry } from "@fanfold/schemas";
import { eventText } from "./event-data.ts";
import { type Keys, type RunKeys, type ShardRef, shardId } from "./keys.ts";
import type { PhaseOpening, ShardFinish } from "./ledger-moves.ts";
import type { ScriptArgument } from "./scripts.ts";
import { shardText } from "./shard-text.ts";

/**
 * Shards of a phase in flight at once where no cap is lower. Also how far one run can get ahead of another with
 * shards that were on the queue before.
 */
const RELEASE_WINDOW = 250;

/** The keys that a script needs which claims shards. */
export function claimKeys(keys: RunKeys): string[] {
  return [keys.run, keys.ledger, keys.shards, keys.released, keys.waiting, keys.open, keys.claims];
}

/** KEYS of `lua/finish_shard.lua`, and the first ones of scripts that end attempts among other things. */
export function finishKeys(shared: Keys, keys: RunKeys): string[] {
  return [
    ...claimKeys(keys),
    keys.journal,
    keys.cancelled,
    shared.semaphores,
    shared.holders,
    keys.recalled,
    keys.started,
    shared.reuse,
    keys.ahead,
  ];
}

/** The fingerprint under which a result may be reused, and what is kept under it; empty where it may not. */
export function reuseArguments(
  runId: string,
  ref: ShardRef,
  { record: { fingerprint = "" }, nowMs }: ShardFinish,
): [fingerprint: string, entry: string] {
  if (fingerprint === "") return ["", ""];
  const entry: ReuseEntry = { run_id: runId, shard: shardId(ref), at_ms: nowMs };
  return [fingerprint, JSON.stringify(entry)];
}

/** ARGV of `lua/finish_shard.lua`. */
export function finishArguments(runId: string, ref: ShardRef, finish: ShardFinish, claimant: string): ScriptArgument[] {
  return [
    shardId(ref),
    finish.fence,
    finish.outcome,
    shardText(finish.record),
    finish.nowMs,
    finish.attempt,
    JSON.stringify(finish.events.map(([event, data]) => [event, eventText(event, data)])),
    claimant,
    finish.costUsd,
    ...reuseArguments(runId, ref, finish),
  ];
}

/** ARGV of `lua/open_phase.lua`. */
export function openArguments(opening: PhaseOpening, claimant: string, nowMs: number): ScriptArgument[] {
  return [
    opening.phase,
    opening.revision,
    claimant,
    nowMs,
    opening.order,
    opening.shardCount,
    opening.maxParallel ?? 0,
    RELEASE_WINDOW,
    JSON.stringify(opening.inputs),
    JSON.stringify(opening.started),
    opening.tolerated,
    opening.maxConsecutiveFailures ?? 0,
    opening.concurrencyKey?.name ?? "",
    opening.concurrencyKey?.limit ?? "",
    opening.isAgain ? 1 : 0,
    opening.reuse ?? "",
    opening.turn,
  ];
}
