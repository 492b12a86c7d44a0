import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import type { RedisBinary } from "./find-redis-server.ts";
import { loadServerLog, type ServerLog } from "./server-log.ts";

/** A start that failed. */
export interface StartFailure {
  dir: string;
  binary: RedisBinary;
  limitMs: number;
  /** Whether the server ended by itself or never answered. */
  readiness: "ended" | "silent";
  log: ServerLog;
}

const TAIL_LINES = 5;
/** Written at every start on a usual machine, and never the cause. */
const NOISE = /WARNING Memory overcommit/;
/** What Redis and Valkey write when they cannot read the append-only file or the snapshot at its head. */
const DAMAGE =
  /bad file format|unexpected end of file|wrong signature|can't handle rdb|error reading the rdb preamble|aof file .* length\. stat|append log file .* doesn't exist|aof manifest file|short read or oom|internal error in rdb|checksum/i;
const NEWER_FORMAT = /can't handle rdb format/i;
const AOF_FILE = /appendonly\.aof[.\w]*/;
const AOF_MANIFEST = "appendonlydir/appendonly.aof.manifest";
const OLD_AOF = "appendonly.aof";

/** Turns the log of a failed start into the error that says what to do. */
export async function explainStartFailure(failure: StartFailure): Promise<EmbeddedRedisError> {
  const lines = (await loadServerLog(failure.log)).filter((line) => !NOISE.test(line));
  const damage = failure.readiness === "ended" ? lines.find((line) => DAMAGE.test(line)) : undefined;
  return damage === undefined ? startFailedError(failure, lines) : dataDamagedError(failure, withoutPrefix(damage));
}

function startFailedError({ binary, limitMs, readiness, log }: StartFailure, lines: string[]): EmbeddedRedisError {
  const what = readiness === "ended" ? "ended while starting" : `did not answer within ${limitMs / 1_000} s`;
  const tail = lines.slice(-TAIL_LINES).map((line) => `\n  ${line}`);
  return new EmbeddedRedisError(
    "START_FAILED",
    `${binary.path} (${binary.version}) ${what}; correct what its log says, or set REDIS_URL to use a server you have; the end of ${log.path}:${tail.join("")}`,
  );
}

function dataDamagedError(failure: StartFailure, damage: string): EmbeddedRedisError {
  const { dir, binary } = failure;
  const manifest = join(dir, AOF_MANIFEST);
  const checked = existsSync(manifest) ? manifest : join(dir, OLD_AOF);
  const named = AOF_FILE.exec(damage)?.[0];
  const file = named === undefined ? checked : join(dirname(checked), named);
  const remedy = NEWER_FORMAT.test(damage)
    ? "name the newer server that wrote it in FANFOLD_REDIS_SERVER"
    : `copy ${dir} and then try \`${checkerOf(binary)} --fix ${checked}\``;
  return new EmbeddedRedisError(
    "DATA_DAMAGED",
    `${binary.path} (${binary.version}) cannot read ${file}: "${damage}"; nothing was deleted: ${remedy}, or move ${dir} away to start empty`,
  );
}

/** The checker is installed beside its server. */
function checkerOf({ path }: RedisBinary): string {
  return join(dirname(path), basename(path).includes("valkey") ? "valkey-check-aof" : "redis-check-aof");
}

/** Log lines begin with pid, role, time and level. */
function withoutPrefix(line: string): string {
  return line.replace(/^\d+:\S \d+ \S+ \d+ \S+ \S /, "").trim();
}
