import { DEFAULT_PREFIX, Keys } from "../keys.ts";
import { StoreError } from "../store-error.ts";
import { connectionFailure, type FailedConnection, isPassing } from "./connection-failure.ts";
import type { ConnectionOptions } from "./patient-client.ts";
import { parseRedisUrl, type RedisAddress, type RedisUrl } from "./redis-address.ts";
import { openProbe, type RedisClient } from "./redis-client.ts";
import type { OnRedisNotice } from "./redis-health.ts";
import { findRefusal } from "./refusal.ts";
import { checkServer, readFacts, type ServerFacts } from "./server-facts.ts";

/** Time a first connection may take, in ms. */
const CONNECT_MS = 2_000;
/** Time a server may take from the first try to connect to its last answer, in ms; loading its data not counted. */
const DEADLINE_MS = 2_500;
/** How often a refused first connection is tried again, 200 ms apart. */
const TRIES = 8;
const PAUSE_MS = 200;

/** How a server is looked at before it is used. */
export interface ProbeOptions {
  /** Key prefix that the process will use. */
  readonly prefix?: string;
  /** Lets a server in that evicts keys: with a warning instead of an error. */
  readonly allowsEviction?: boolean;
  readonly onNotice?: OnRedisNotice;
}

/**
 * Looks whether a server can be used: reachable, lets us in, new enough, takes writes, loses no keys. One that is just
 * starting is given a moment, one that is loading its data as long as it takes.
 *
 * @throws {StoreError} REDIS_UNREACHABLE, REDIS_REFUSED, REDIS_TOO_OLD or REDIS_UNSUITABLE, within 5 s
 */
export async function probeRedis(address: RedisAddress, where: string, wanted: ProbeOptions = {}): Promise<void> {
  const { prefix = DEFAULT_PREFIX, allowsEviction = false, onNotice = ignore } = wanted;
  const { kind, isTls } = address.url === undefined ? SOCKET : parseRedisUrl(address.url);
  let worst: Error | undefined;
  const options: ConnectionOptions = {
    connectTimeout: CONNECT_MS,
    disconnectTimeout: 50,
    enableReadyCheck: false,
    retryStrategy: (times) => (times <= TRIES && isPassing(worst) ? PAUSE_MS : null),
  };
  const onError = (error: Error): void => {
    if (isPassing(worst)) worst = error;
  };
  const redis = openProbe(address, { options, onError });
  const probe = new Probe(redis, { where, isTls });
  try {
    const facts = await probe.loaded(onNotice);
    // a database that cannot be selected leaves the connection on another one
    if (!isPassing(worst)) throw worst;
    checkServer(facts, where, kind);
    await probe.checkEviction(facts, { allowsEviction, onNotice });
    await probe.checkPermissions(prefix);
  } catch (error) {
    const isWorse = error instanceof StoreError && error.code !== "REDIS_UNREACHABLE";
    throw connectionFailure(isWorse || worst === undefined ? error : worst, { where, isTls });
  } finally {
    redis.disconnect();
  }
}

type EvictionOptions = Required<Pick<ProbeOptions, "allowsEviction" | "onNotice">>;

const SOCKET: Pick<RedisUrl, "kind" | "isTls"> = { kind: "single", isTls: false };

class Probe {
  readonly #redis: RedisClient;
  readonly #failed: FailedConnection;
  #deadlineMs = performance.now() + DEADLINE_MS;

  constructor(redis: RedisClient, failed: FailedConnection) {
    this.#redis = redis;
    this.#failed = failed;
  }

  /** What the server says of itself, once it has its data. */
  async loaded(onNotice: OnRedisNotice): Promise<ServerFacts> {
    for (let isSaid = false; ; isSaid = true) {
      const facts = readFacts(await this.#inTime(this.#redis.info()));
      if (!facts.isLoading) return facts;
      if (!isSaid)
        onNotice({ state: "trouble", message: `redis at ${this.#failed.where} is loading its data; waiting` });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      this.#deadlineMs = performance.now() + DEADLINE_MS;
    }
  }

  /** An evicted key is a lost job. @throws {StoreError} REDIS_UNSUITABLE */
  async checkEviction(facts: ServerFacts, { allowsEviction, onNotice }: EvictionOptions): Promise<void> {
    const { where } = this.#failed;
    const policy = facts.evictionPolicy ?? (await this.#askPolicy());
    if (policy === "noeviction") return;
    if (policy === undefined) {
      const message = `redis at ${where} does not tell its maxmemory-policy; make sure that it is noeviction`;
      return onNotice({ state: "trouble", message });
    }
    const danger = `redis at ${where} throws keys away when its memory is full (maxmemory-policy ${policy}), and with them jobs and results`;
    if (allowsEviction) return onNotice({ state: "trouble", message: `${danger}; FANFOLD_ALLOW_EVICTION allows it` });
    const fix = "set it right with: CONFIG SET maxmemory-policy noeviction, and in its configuration file";
    throw new StoreError("REDIS_UNSUITABLE", `${danger}; ${fix}; or accept the danger with FANFOLD_ALLOW_EVICTION=1`);
  }

  /** Reads, writes and publishes below the prefix, and changes nothing. */
  async checkPermissions(prefix: string): Promise<void> {
    const keys = new Keys(prefix);
    try {
      await this.#inTime(this.#redis.eval("return redis.call('del', KEYS[1])", 1, keys.probe));
      await this.#inTime(this.#redis.publish(keys.probe, ""));
    } catch (error) {
      // what passes is waited for by the connections that do the work
      if (findRefusal(error) === undefined) throw error;
    }
  }

  async #askPolicy(): Promise<string | undefined> {
    try {
      const reply = await this.#inTime(this.#redis.config("GET", "maxmemory-policy"));
      const [, policy] = Array.isArray(reply) ? reply : [];
      return typeof policy === "string" ? policy : undefined;
    } catch {
      return undefined;
    }
  }

  async #inTime<T>(promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(connectionFailure("no answer", this.#failed)),
        this.#deadlineMs - performance.now(),
      );
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function ignore(): void {}
