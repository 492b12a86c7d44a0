import { setTimeout as sleep } from "node:timers/promises";
import { type RedisOutcome, sendRedisCommand } from "./send-redis-command.ts";

/** What a server says about itself. */
export interface ServerInfo {
  pid: number;
  version: string;
}

/** How waiting for a server ended. */
export type ServerReadiness =
  | { status: "ready"; info: ServerInfo }
  /** Nobody serves the socket, and its process is gone. */
  | { status: "ended" }
  /** It lives and says nothing. */
  | { status: "silent" };

/** Which server to wait for. */
export interface WaitForServerOptions {
  socketPath: string;
  /** Whether the process of the server still runs; asked only while nobody serves the socket. */
  isRunning: () => Promise<boolean>;
  /** Silence after which to give up. A server that answers that it is loading its data is not silent. */
  limitMs: number;
  /** Told once when the server takes long to load its data. */
  onLoading?: () => void;
}

const POLL_INTERVAL_MS = 2;
const ANSWER_LIMIT_MS = 1_000;
/** Loading shorter than this is not worth a line. */
const QUIET_LOADING_MS = 500;
/** Errors of a server that is well and will answer: it reads its data, or runs a long script. */
const BUSY_ANSWER = /^(LOADING|BUSY)\b/;

/** Waits until the server on a socket answers `PING`, its process has ended, or it has been silent for too long. */
export async function waitForServer(options: WaitForServerOptions): Promise<ServerReadiness> {
  let lastSignMs = performance.now();
  const startedAtMs = lastSignMs;
  let hasToldLoading = false;
  const answerLimitMs = Math.min(ANSWER_LIMIT_MS, options.limitMs);
  for (;;) {
    const outcome = await sendRedisCommand(options.socketPath, "PING", answerLimitMs);
    if (outcome.status === "replied") {
      const info = await askServerInfo(options.socketPath);
      if (info !== undefined) return { status: "ready", info };
    }
    if (isBusy(outcome)) {
      lastSignMs = performance.now();
      const isWorthTelling: boolean = !hasToldLoading && lastSignMs - startedAtMs >= QUIET_LOADING_MS;
      if (isWorthTelling) options.onLoading?.();
      hasToldLoading ||= isWorthTelling;
    }
    if (isUnserved(outcome) && !(await options.isRunning())) return { status: "ended" };
    if (performance.now() - lastSignMs >= options.limitMs) return { status: "silent" };
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Reads the answer of `INFO server`; `undefined` when it names no process or version. */
export function parseServerInfo(text: string): ServerInfo | undefined {
  const fields = new Map(text.split("\r\n").map((line) => splitOnce(line)));
  const pid = Number(fields.get("process_id"));
  const version = fields.get("valkey_version") ?? fields.get("redis_version");
  return version === undefined || !Number.isSafeInteger(pid) ? undefined : { pid, version };
}

async function askServerInfo(socketPath: string): Promise<ServerInfo | undefined> {
  const outcome = await sendRedisCommand(socketPath, "INFO server", ANSWER_LIMIT_MS);
  return outcome.status === "replied" ? parseServerInfo(outcome.text) : undefined;
}

function isBusy(outcome: RedisOutcome): boolean {
  return outcome.status === "refused" && BUSY_ANSWER.test(outcome.text);
}

function isUnserved({ status }: RedisOutcome): boolean {
  return status === "unreachable" || status === "closed";
}

function splitOnce(line: string): [key: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1)];
}
