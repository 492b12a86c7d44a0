import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { ArtifactStore, ByteRange, Enrolment, RemovedFiles, StoredArtifact } from "./artifact-store.ts";
import type { Keys } from "../keys.ts";
import { describeConnection, type RedisClient } from "../redis/redis-client.ts";
import { StoreError } from "../store-error.ts";
import { isForbidden } from "./file-errors.ts";

/** The artifact store of a deployment, which puts itself on the store's list before it puts anything else there. */
export class EnrolledArtifacts implements ArtifactStore {
  readonly #artifacts: ArtifactStore;
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  #enrolling: Promise<void> | undefined;

  constructor(artifacts: ArtifactStore, redis: RedisClient, keys: Keys) {
    this.#artifacts = artifacts;
    this.#redis = redis;
    this.#keys = keys;
  }

  async put(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredArtifact> {
    this.#enrolling ??= this.#enrolOnce();
    await this.#enrolling;
    return this.#artifacts.put(chunks);
  }

  /** The other deployments that keep content here. */
  async listOthers(): Promise<Enrolment[]> {
    const own = await this.#redis.get(this.#keys.deployment);
    return (await this.#artifacts.listEnrolled()).filter(({ id }) => id !== own);
  }

  stream(sha256: string, range?: ByteRange): AsyncIterable<Uint8Array> {
    return this.#artifacts.stream(sha256, range);
  }

  /** Makes sure that content stays for as long as something that was just put. @returns whether it is there */
  async renew(sha256: string): Promise<boolean> {
    try {
      if (this.#artifacts.renew !== undefined) return await this.#artifacts.renew(sha256);
    } catch (error) {
      // a file of another user cannot be given a time; it can be put again
      if (!isForbidden(error)) throw error;
    }
    try {
      await this.put(this.#artifacts.stream(sha256));
      return true;
    } catch (error) {
      const isGone = error instanceof StoreError && error.code.startsWith("ARTIFACT_");
      if (!isGone) throw error;
      return false;
    }
  }

  check(): Promise<void> {
    return this.#artifacts.check();
  }

  locate(sha256: string): string {
    return this.#artifacts.locate(sha256);
  }

  nowMs(): Promise<number> {
    return this.#artifacts.nowMs();
  }

  list(): AsyncIterable<string> {
    return this.#artifacts.list();
  }

  remove(sha256: string, putBeforeMs: number, options: { dryRun: boolean }): Promise<number | undefined> {
    return this.#artifacts.remove(sha256, putBeforeMs, options);
  }

  removeLeftovers(writtenBeforeMs: number, options: { dryRun: boolean }): Promise<RemovedFiles> {
    return this.#artifacts.removeLeftovers(writtenBeforeMs, options);
  }

  enrol(id: string, label: string): Promise<void> {
    return this.#artifacts.enrol(id, label);
  }

  listEnrolled(): Promise<Enrolment[]> {
    return this.#artifacts.listEnrolled();
  }

  async #enrolOnce(): Promise<void> {
    try {
      await this.#redis.setnx(this.#keys.deployment, randomUUID());
      const id = (await this.#redis.get(this.#keys.deployment)) ?? "";
      const where = describeConnection(this.#redis);
      await this.#artifacts.enrol(id, `${this.#keys.prefix} at ${where}, seen from ${hostname()}`);
    } catch (error) {
      this.#enrolling = undefined;
      throw error;
    }
  }
}
