import { Cluster, Redis } from "ioredis";
import { type ConnectionOptions, patientCluster, patientRedis } from "./patient-client.ts";
import { readTls } from "./read-tls.ts";
import { parseRedisUrl, type RedisAddress, type RedisUrl } from "./redis-address.ts";
import type { RedisHealth } from "./redis-health.ts";

/**
 * Longest time a connection may leave a command without an answer before it counts as dead, in ms. Commands that
 * block return within 10 s.
 */
const SILENCE_MS = 20_000;
/** A connection to a server, or to a cluster of them. */
export type RedisClient = Redis | Cluster;

/** Opens a connection whose commands wait for as long as it takes. */
export function openClient(address: RedisAddress, health: RedisHealth): RedisClient {
  const { options, cluster } = clientOptions(address);
  const patient: ConnectionOptions = {
    ...options,
    maxRetriesPerRequest: null,
    retryStrategy: waitMs,
    socketTimeout: SILENCE_MS,
  };
  if (cluster === undefined) return patientRedis({ ...patient, sentinelRetryStrategy: waitMs }, health);
  const { retryStrategy: _none, ...redisOptions } = patient;
  return patientCluster(cluster, { redisOptions, clusterRetryStrategy: waitMs, ...CLUSTER }, health);
}

/** How a first look is cut short. */
export interface Impatience {
  readonly options: ConnectionOptions;
  /** Hears of all that goes wrong: also of what a server says before it closes the connection. */
  readonly onError: (error: Error) => void;
}

/** Opens a connection that fails instead of waiting: for a first look. */
export function openProbe(address: RedisAddress, { options: hasty, onError }: Impatience): RedisClient {
  const { options: known, cluster } = clientOptions(address);
  const options: ConnectionOptions = { ...known, ...hasty };
  const retry = (times: number): number | null => hasty.retryStrategy?.(times) ?? null;
  if (cluster === undefined) return probeServer({ ...options, sentinelRetryStrategy: retry }, onError);
  const { retryStrategy: _nodes, ...redisOptions } = options;
  return new Cluster([...cluster], { redisOptions, clusterRetryStrategy: retry, ...CLUSTER }).on("error", onError);
}

function probeServer(options: ConnectionOptions, onError: Impatience["onError"]): Redis {
  const redis = new Redis(options);
  const pass = redis.handleReconnection.bind(redis);
  const handleReconnection: typeof pass = (error, item) => {
    onError(error);
    pass(error, item);
  };
  return Object.assign(redis.on("error", onError), { handleReconnection });
}

/** Another connection to the same server, for commands that block. Close it with `disconnect()`. */
export function duplicateConnection(redis: RedisClient): RedisClient {
  const copy: RedisClient = redis instanceof Cluster ? redis.duplicate() : redis.duplicate();
  copy.on("error", () => undefined);
  return copy;
}

/** Where a connection leads, for people: hosts and ports, a socket, or the master the Sentinels watch. */
export function describeConnection(redis: RedisClient): string {
  if (redis instanceof Cluster)
    return redis
      .nodes("master")
      .map((node) => describeConnection(node))
      .join(",");
  const { path, host = "", port, sentinels, name } = redis.options;
  return path ?? (sentinels === undefined ? `${host}:${port}` : `master ${name}`);
}

/** The servers that hold keys: one, or the masters of a cluster. For what walks over all keys. */
export function listServers(redis: RedisClient): Redis[] {
  return redis instanceof Cluster ? redis.nodes("master") : [redis];
}

const CLUSTER = { slotsRefreshTimeout: 2_000, enableReadyCheck: true } as const;

/** Wait before the next try to connect, in ms. */
function waitMs(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), 2_000);
}

interface ClientOptions {
  readonly options: ConnectionOptions;
  /** Its known nodes, where it is a cluster. */
  readonly cluster?: RedisUrl["nodes"];
}

function clientOptions({ url, socketPath, tls: files, sentinelLogin }: RedisAddress): ClientOptions {
  if (socketPath !== undefined) return { options: { path: socketPath } };
  const { kind, isTls, username, password, nodes, masterName, db } = parseRedisUrl(url ?? "");
  const tls = isTls ? readTls(files ?? {}) : undefined;
  const options: ConnectionOptions = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    db,
  };
  if (kind === "cluster") return { options, cluster: nodes };
  if (kind === "single") return { options: { ...options, ...nodes[0] } };
  const sentinel: ConnectionOptions = {
    sentinels: [...nodes],
    name: masterName,
    ...(sentinelLogin?.username === undefined ? {} : { sentinelUsername: sentinelLogin.username }),
    ...(sentinelLogin?.password === undefined ? {} : { sentinelPassword: sentinelLogin.password }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
  return { options: { ...options, ...sentinel } };
}
