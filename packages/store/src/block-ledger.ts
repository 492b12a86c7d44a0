import { randomUUID } from "node:crypto";
import { FinishVerdictSchema, PhaseProgressSchema, type ShardRecord } from "@fanfold/schemas";
import { parseClaim } from "./claimed-shard.ts";
import { eventText } from "./event-data.ts";
import { type BlockRef, blockName, type Keys } from "./keys.ts";
import { finishKeys, reuseArguments } from "./ledger-arguments.ts";
import type { BlockReply, BlockStep, LeavingShard, ShardFinish, StartedInBlock } from "./ledger-moves.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { Script, type ScriptArgument, strings } from "./scripts.ts";
import { parseShard, shardText } from "./shard-text.ts";
import { SpawnLedger } from "./spawn-ledger.ts";

const STEP_BLOCK = new Script("step_block");

/** The shards of a block, moved on many at a time. */
export class BlockLedger extends SpawnLedger {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    super(redis, keys);
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Records how shards of a block ended, and starts the next, lets them leave, or claims what comes after the block. */
  async stepBlock(runId: string, block: BlockRef, step: BlockStep): Promise<BlockReply> {
    const token = randomUUID();
    const reply = await STEP_BLOCK.run(this.#redis, finishKeys(this.#keys, this.#keys.run(runId)), [
      block.phase,
      block.revision,
      blockName(block),
      step.worker,
      step.nowMs,
      token,
      step.from,
      step.start === "leave" ? "" : step.start === "fit" ? 0 : step.start,
      step.claimant ?? "",
      step.meanMs ?? "",
      ...step.ended.flatMap((ended) => endedArguments(runId, block, ended)),
    ]);
    const [state, cursor, started, leaving, verdicts, claimed] = Array.isArray(reply) ? reply : [];
    const common = { block: blockName(block), worker: step.worker, started_at_ms: step.nowMs, start_token: token };
    return {
      progress: state === "unknown" ? undefined : PhaseProgressSchema.parse(state),
      cursor: Number(cursor),
      started: parseStarted(strings(started), common),
      leaving: parseLeaving(strings(leaving)),
      verdicts: new Map(
        pairs(strings(verdicts)).map(([shard, text]) => [Number(shard), FinishVerdictSchema.parse(text)]),
      ),
      claimed: strings(claimed).map(parseClaim),
    };
  }
}

/** The arguments of one shard that ended; a success has one event, of which only the data is sent. */
function endedArguments(
  runId: string,
  block: BlockRef,
  ended: ShardFinish & { readonly shard: number },
): ScriptArgument[] {
  const { shard, record, events } = ended;
  const told = events.map(([event, data]) => [event, eventText(event, data)] as const);
  return [
    shard,
    ended.fence,
    ended.outcome,
    shardText(record),
    ended.attempt,
    ended.outcome === "succeeded" ? (told[0]?.[1] ?? "") : JSON.stringify(told),
    ended.costUsd,
    ...reuseArguments(runId, { ...block, shard }, ended),
  ];
}

function parseStarted(
  fields: readonly string[],
  common: Pick<ShardRecord, "block" | "worker" | "started_at_ms" | "start_token">,
): StartedInBlock[] {
  const found: StartedInBlock[] = [];
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [shard, attempt, fence] = [Number(fields[i]), Number(fields[i + 1]), Number(fields[i + 2])];
    const text = fields[i + 3] ?? "";
    const record: ShardRecord =
      text === "" ? { status: "running", attempt, fence, ...common, starts: 1, seen: 1 } : parseShard(text);
    found.push({ shard, attempt, fence, record });
  }
  return found;
}

function parseLeaving(fields: readonly string[]): LeavingShard[] {
  return pairs(fields).map(([shard, notBeforeMs]) => ({ shard: Number(shard), notBeforeMs: Number(notBeforeMs) }));
}

function pairs(fields: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) found.push([fields[i] ?? "", fields[i + 1] ?? ""]);
  return found;
}
