import { Redis } from "ioredis";
import { scriptNames } from "./script-names.mjs";

/** Commands that take longer are kept with their name, in ms; the latest so many. */
const SLOW_MS = 3;
const KEPT_SLOW = 2_000;
/** Events of the server itself (fork, writes of the file) that take longer are kept, in ms. */
const LATENCY_MS = 5;
const MB = 1_024 * 1_024;

/** A connection of the benchmark's own to its Redis; closed with the bench. */
export function connect(bench) {
  const redis = new Redis(bench.redis.url, { maxRetriesPerRequest: null });
  bench.onClose(() => redis.disconnect());
  return redis;
}

/** Begins to watch a Redis: commands, time and slow commands count from here. */
export async function watchRedis(redis) {
  await redis.config("SET", "slowlog-log-slower-than", 1_000 * SLOW_MS, "slowlog-max-len", KEPT_SLOW);
  await redis.config("SET", "latency-monitor-threshold", LATENCY_MS);
  await redis.slowlog("RESET");
  await redis.call("LATENCY", "RESET");
  const before = await readInfo(redis);
  return {
    /** What has happened since: plain counts and times, and the slowest command with its name. */
    async read() {
      const after = await readInfo(redis);
      const slow = await slowest(redis);
      const grown = (field) => after[field] - before[field];
      return {
        commands: grown("total_commands_processed"),
        reads: grown("total_reads_processed"),
        inBytes: grown("total_net_input_bytes"),
        outBytes: grown("total_net_output_bytes"),
        fileBytes: grown("aof_current_size"),
        cpuMs: 1_000 * (grown("used_cpu_user_main_thread") + grown("used_cpu_sys_main_thread")),
        usedMb: after.used_memory / MB,
        peakMb: after.used_memory_peak / MB,
        slowest: slow,
        /** Of the slowest command; what is faster than the log looks at counts as that. */
        slowestMs: slow[0]?.ms ?? SLOW_MS,
        events: await serverEvents(redis),
      };
    },
  };
}

/** The numbers of INFO, by their names. */
export async function readInfo(redis) {
  const fields = (await redis.info()).matchAll(/^(\w+):([\d.]+)\r?$/gm);
  return Object.fromEntries(Array.from(fields, ([, name, value]) => [name, Number(value)]));
}

/** The slowest call of each command or script that is in the log, slowest first. */
async function slowest(redis) {
  const names = await scriptNames();
  const byName = new Map();
  for (const [, , us, args] of await redis.slowlog("GET", KEPT_SLOW)) {
    const name = nameOf(args, names);
    if (name === undefined) continue;
    const known = byName.get(name) ?? { name, ms: 0, count: 0 };
    byName.set(name, { name, ms: Math.max(known.ms, us / 1_000), count: known.count + 1 });
  }
  return [...byName.values()].toSorted((a, b) => b.ms - a.ms);
}

/** What a command is called: a script by its file. Undefined for those of the benchmark itself. */
export function nameOf([command, hash, ...rest], names) {
  const name = command.toLowerCase();
  if (/^(slowlog|latency|config|info|monitor|memory)$/.test(name)) return undefined;
  if (name === "evalsha") return names.get(hash) ?? `script ${hash?.slice(0, 8)}`;
  if (name === "eval") return `eval of ${rest.length} arguments`;
  return name;
}

async function serverEvents(redis) {
  const latest = await redis.call("LATENCY", "LATEST");
  const events = latest.filter(([name]) => name !== "command" && name !== "fast-command");
  return Object.fromEntries(events.map(([name, , , maxMs]) => [name, Number(maxMs)]));
}

/** Bytes of all keys, by what kind of key they are. Reads every key: for the benchmark only. */
export async function memoryByKind(redis, kindOf) {
  const kinds = {};
  for await (const keys of redis.scanStream({ count: 1_000 })) {
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.memory("USAGE", key, "SAMPLES", 0);
    const sizes = await pipeline.exec();
    for (const [i, key] of keys.entries()) {
      const kind = kindOf(key);
      kinds[kind] = (kinds[kind] ?? 0) + Number(sizes[i][1] ?? 0);
    }
  }
  return kinds;
}
