import { Cluster, type ClusterNode, type ClusterOptions, Command, Redis, type RedisOptions } from "ioredis";
import type { RedisHealth } from "./redis-health.ts";
import { findRefusal, type Refusal } from "./refusal.ts";

/** Commands that set a connection up; what the server says to them is for ioredis. */
const HANDSHAKE: ReadonlySet<string> = new Set(["hello", "auth", "select", "client", "info", "readonly"]);

type CommandItem = Parameters<Redis["handleReconnection"]>[1];

/** Options of a connection. */
export type ConnectionOptions = Omit<RedisOptions, "replyMapping">;
/** Options of a cluster, with those of the connections to its nodes. */
export type NodesOptions = Omit<ClusterOptions, "redisOptions"> & {
  readonly redisOptions: Omit<NonNullable<ClusterOptions["redisOptions"]>, "replyMapping">;
};

/**
 * A connection whose commands wait while its server answers but refuses them for now: they are sent again until they
 * are accepted. So do those of its duplicates. Errors tell no arguments: they hold passwords and payloads.
 */
export function patientRedis(options: ConnectionOptions, health: RedisHealth): Redis {
  const redis = new Redis(options);
  const pass = redis.handleReconnection.bind(redis);
  const giveUp = redis.recoverFromFatalError.bind(redis);
  const transaction = new RefusedTransaction(redis, health);
  return Object.assign(redis, {
    duplicate: (override: Partial<ConnectionOptions> = {}) => patientRedis({ ...options, ...override }, health),
    // ioredis calls it when a connection cannot be set up, and would drop the commands that wait for it
    recoverFromFatalError: (...failure: Parameters<typeof giveUp>): void => {
      if (redis.status !== "connect") return giveUp(...failure);
      redis.silentEmit("error", failure[1]);
      redis.disconnect(true);
    },
    // ioredis calls it with every error that a server answers
    handleReconnection: (error: Error, item: CommandItem): void => {
      const { command } = item;
      if (!(command instanceof Command)) return pass(error, item);
      Object.assign(error, { command: { name: command.name } });
      const refusal = findRefusal(error);
      if (isInTransaction(command)) transaction.refused(command, refusal);
      else if (refusal !== undefined && !HANDSHAKE.has(command.name)) {
        health.hold(command, refusal, () => void redis.sendCommand(command));
        if (refusal === "read_only") lookForMaster(redis);
        return;
      }
      pass(error, item);
    },
  });
}

/** The parts of a transaction cannot wait one by one: whoever sent it repeats it as a whole. */
class RefusedTransaction {
  readonly #redis: Redis;
  readonly #health: RedisHealth;
  #refusal: Refusal | undefined;

  constructor(redis: Redis, health: RedisHealth) {
    this.#redis = redis;
    this.#health = health;
  }

  refused(command: Command, refusal: Refusal | undefined): void {
    if (refusal !== undefined) {
      this.#health.refused(refusal);
      this.#refusal = refusal;
    }
    if (command.name !== "exec") return;
    if (this.#refusal === "read_only") lookForMaster(this.#redis);
    this.#refusal = undefined;
  }
}

function isInTransaction(command: Command): boolean {
  return command.inTransaction || command.name === "exec";
}

/** A name, or the Sentinels, may lead somewhere else by now. */
function lookForMaster(redis: Redis): void {
  if (redis.status === "ready") redis.disconnect(true);
}

type SendTarget = [stream?: Parameters<Cluster["sendCommand"]>[1], node?: unknown];

/** The same for a cluster. */
export function patientCluster(nodes: readonly ClusterNode[], options: NodesOptions, health: RedisHealth): Cluster {
  const cluster = new Cluster([...nodes], options);
  const send = cluster.sendCommand.bind(cluster);
  const watched = new WeakSet<Command>();
  const watch = (command: Command): void => {
    watched.add(command);
    const reject = command.reject.bind(command);
    command.reject = (error) => {
      const refusal = findRefusal(error);
      if (refusal === undefined || command.isSettled || cluster.status === "end") return reject(error);
      health.hold(command, refusal, () => void send(command));
    };
  };
  return Object.assign(cluster, {
    duplicate: (others: readonly ClusterNode[] = [], override: Partial<NodesOptions> = {}) => {
      const redisOptions = { ...options.redisOptions, ...override.redisOptions };
      return patientCluster(others.length > 0 ? others : nodes, { ...options, ...override, redisOptions }, health);
    },
    sendCommand: (command: Command, ...target: SendTarget): unknown => {
      if (!isInTransaction(command) && !watched.has(command)) watch(command);
      return send(command, ...target);
    },
  });
}
