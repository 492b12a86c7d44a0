import type { Failure } from "@fanfold/schemas";
import { type ClaimedShard, parseClaim } from "./claimed-shard.ts";
import { type Keys, type ShardRef, shardId } from "./keys.ts";
import { LedgerReader } from "./ledger-reader.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { Script, strings } from "./scripts.ts";

const RESUME_SPAWNER = new Script("resume_spawner");
const FAIL_SPAWNER = new Script("fail_spawner");

/** A shard that waits for what one of its attempts spawned. */
export interface WaitingSpawner extends ShardRef {
  readonly attempt: number;
}

/** What becomes of shards that wait for phases they spawned. */
export class SpawnLedger extends LedgerReader {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    super(redis, keys);
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Lets a shard go on whose children have succeeded, and claims what may run. Doing it twice repeats the claim.
   *
   * @param children their ids, for the journal
   */
  async resumeSpawner(
    runId: string,
    spawner: WaitingSpawner,
    { children, claimant, nowMs }: { children: readonly string[]; claimant: string; nowMs: number },
  ): Promise<ClaimedShard[]> {
    const keys = this.#keys.run(runId);
    const { semaphores, holders } = this.#keys;
    const reply = await RESUME_SPAWNER.run(
      this.#redis,
      [
        keys.run,
        keys.ledger,
        keys.shards,
        keys.released,
        keys.waiting,
        keys.open,
        keys.claims,
        semaphores,
        holders,
        keys.started,
        keys.journal,
        keys.ahead,
      ],
      [shardId(spawner), spawner.attempt, claimant, nowMs, JSON.stringify({ children })],
    );
    return strings(reply).map(parseClaim);
  }

  /** Fails a shard that waits for children. @returns whether it has failed now; not when its run was stopped */
  async failSpawner(runId: string, spawner: WaitingSpawner, failure: Failure, nowMs: number): Promise<boolean> {
    const { run, ledger, shards, started, journal } = this.#keys.run(runId);
    const reply = await FAIL_SPAWNER.run(
      this.#redis,
      [run, ledger, shards, started, journal],
      [shardId(spawner), spawner.attempt, JSON.stringify(failure), nowMs],
    );
    return reply === 1;
  }

  /** Shards of a run that wait for phases they spawned. */
  async listSpawners(runId: string): Promise<ShardRef[]> {
    const found: ShardRef[] = [];
    for (const ref of await this.listAtWork(runId)) {
      if ((await this.findShard(runId, ref))?.status === "spawned") found.push(ref);
    }
    return found;
  }
}
