import { StoreError } from "../store-error.ts";
import type { RedisUrl } from "./redis-address.ts";

/** Oldest server whose commands the scripts use (LPOS with 6.0.6, what BullMQ asks for with 6.2). */
export const MIN_REDIS_VERSION = "6.2.0";

/** What a server says of itself. */
export interface ServerFacts {
  readonly version: string;
  readonly mode: string;
  readonly isReplica: boolean;
  /** Where its master is, when it is a replica. */
  readonly master: string;
  readonly isLoading: boolean;
  /** What it does when its memory is full; undefined when it does not say. */
  readonly evictionPolicy: string | undefined;
}

/** Reads the reply to INFO. */
export function readFacts(info: string): ServerFacts {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  return {
    version: field("redis_version") ?? "0",
    mode: field("redis_mode") ?? "standalone",
    isReplica: field("role") === "slave",
    master: `${field("master_host") ?? "?"}:${field("master_port") ?? "?"}`,
    isLoading: field("loading") === "1",
    evictionPolicy: field("maxmemory_policy"),
  };
}

/** @throws {StoreError} REDIS_TOO_OLD, or REDIS_UNSUITABLE when the URL takes the server for another kind */
export function checkServer(facts: ServerFacts, where: string, kind: RedisUrl["kind"]): void {
  if (compareVersions(facts.version, MIN_REDIS_VERSION) < 0) {
    const message = `redis at ${where} is ${facts.version}; ${MIN_REDIS_VERSION} or newer is needed`;
    throw new StoreError("REDIS_TOO_OLD", message);
  }
  const mismatch = findMismatch(facts, kind);
  if (mismatch !== undefined) throw new StoreError("REDIS_UNSUITABLE", `redis at ${where} ${mismatch}`);
}

function findMismatch({ mode, isReplica, master }: ServerFacts, kind: RedisUrl["kind"]): string | undefined {
  if (mode === "sentinel") return "is a Sentinel; write redis+sentinel://host:port/<name of the master>";
  if (mode === "cluster" && kind !== "cluster") {
    return "is a node of a cluster; write redis+cluster://host:port, with as many of its nodes as you like";
  }
  if (mode !== "cluster" && kind === "cluster") return "is no cluster; write redis:// instead of redis+cluster://";
  if (isReplica && kind === "single") {
    return `is a replica and takes no writes; name its master, which it says is ${master}, or its Sentinels: redis+sentinel://host:26379/<name of the master>`;
  }
  return undefined;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i += 1) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
