import { chmod, mkdir, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { withDirectoryLock } from "./directory-lock.ts";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import { systemErrorCode } from "./file-errors.ts";
import type { RedisBinary } from "./find-redis-server.ts";
import { addMember, hasLiveMembers, removeMember } from "./members.ts";
import { findProcess, formatProcess, isProcessAlive, killProcess } from "./process-identity.ts";
import { sendRedisCommand } from "./send-redis-command.ts";
import { loadServerRecord, saveServerRecord, type ServerRecord } from "./server-record.ts";
import { buildSocketPath, prepareSocketDir } from "./socket-path.ts";
import { startServer } from "./start-server.ts";
import { killServer, stopServer } from "./stop-server.ts";
import { type ServerInfo, waitForServer } from "./wait-for-server.ts";

/** A server of this project directory, for as long as nobody of its members has left last. */
export interface EmbeddedRedis {
  socketPath: string;
  /** Version the running server tells. */
  version: string;
  /** Whether this call started it, rather than finding it running. */
  startedHere: boolean;
  /** Gives it up; the last to leave stops it and waits for its end. Safe to call twice. */
  leave: () => Promise<void>;
}

/** Which data directory to serve, and with what. */
export interface JoinEmbeddedRedisOptions {
  /** Directory of the data, `.fanfold/redis` of a project; made if absent, never removed. */
  dir: string;
  /** What to start when no server runs. */
  binary: RedisBinary;
  /** Told, in one line each, what takes longer or is out of the ordinary. */
  say?: (line: string) => void;
  /** Silence of a server after which it counts as failed. Default 10 s. */
  silenceLimitMs?: number;
}

const SILENCE_LIMIT_MS = 10_000;
const LOCK_LIMIT_MS = 30_000;
const LOCK_DIR = "lock";

/**
 * Uses the one Redis server of a data directory, starting it if it does not run. Any number of processes, and
 * calls in one process, share it. A member that dies without leaving keeps the server up until the next
 * member leaves. Not for a directory that several hosts share: a host cannot see the members of another.
 *
 * @throws {EmbeddedRedisError} `DIRECTORY_UNUSABLE`, `SOCKET_PATH_UNUSABLE`, `LOCKED`, `START_FAILED`,
 *   `DATA_DAMAGED`, or `STOP_FAILED` when a server that hangs cannot be replaced
 */
export async function joinEmbeddedRedis(options: JoinEmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dir = await prepareDataDir(options.dir);
  return await withDirectoryLock(lockOf(dir), async () => {
    const { record, info, startedHere } = await findOrStart({ ...options, dir });
    const member = await addMember(dir);
    let left: Promise<void> | undefined;
    const leave = () => (left ??= leaveServer(dir, member, record));
    return { socketPath: record.socketPath, version: info.version, startedHere, leave };
  });
}

interface JoinedServer {
  record: ServerRecord;
  info: ServerInfo;
  startedHere: boolean;
}

async function findOrStart(options: JoinEmbeddedRedisOptions): Promise<JoinedServer> {
  const { dir } = options;
  const recorded = loadServerRecord(dir);
  const socketPath = buildSocketPath({ dir, temporaryDir: tmpdir() });
  const servedPath = await chooseServedPath(socketPath, recorded);
  const found = await findRunning(options, servedPath, recorded);
  if (found !== undefined) return { ...(await saveRecord(dir, servedPath, found)), startedHere: false };

  await prepareSocketDir(socketPath);
  const started = await startServer({ ...waitOptions(options), ...options, socketPath });
  return { ...(await saveRecord(dir, socketPath, started)), startedHere: true };
}

/** A server is where it was recorded to be, unless its directory was moved, its socket with it. */
async function chooseServedPath(socketPath: string, recorded: ServerRecord | undefined): Promise<string> {
  if (recorded === undefined || recorded.socketPath === socketPath) return socketPath;
  const outcome = await sendRedisCommand(socketPath, "PING", SILENCE_LIMIT_MS);
  return outcome.status === "unreachable" ? recorded.socketPath : socketPath;
}

/** The server that answers; one whose process lives but stays silent is killed, so that two never write the same data. */
async function findRunning(
  options: JoinEmbeddedRedisOptions,
  socketPath: string,
  recorded: ServerRecord | undefined,
): Promise<ServerInfo | undefined> {
  const isRunning = async () => recorded !== undefined && (await isProcessAlive(recorded.process));
  const readiness = await waitForServer({ ...waitOptions(options), socketPath, isRunning });
  if (readiness.status === "ready") return readiness.info;
  if (readiness.status === "ended") return undefined;
  if (recorded === undefined) throw unknownServerError(options.dir, socketPath);
  options.say?.(`redis-server (pid ${recorded.process.pid}) of ${options.dir} does not answer; starting it anew`);
  await killServer(options.dir, recorded);
  return undefined;
}

function unknownServerError(dir: string, socketPath: string): EmbeddedRedisError {
  return new EmbeddedRedisError(
    "STOP_FAILED",
    `a process serves ${socketPath} and does not answer, and ${dir} does not say which; end that redis-server, then try again`,
  );
}

function waitOptions({ dir, say, silenceLimitMs }: JoinEmbeddedRedisOptions) {
  const onLoading = () => say?.(`redis-server is loading the data of ${dir}`);
  return { limitMs: silenceLimitMs ?? SILENCE_LIMIT_MS, onLoading };
}

/** The server itself knows its pid best: a wrapper script may have been what was started, or the record was lost. */
async function saveRecord(dir: string, socketPath: string, info: ServerInfo) {
  const identity = (await findProcess(info.pid)) ?? { pid: info.pid, started: "unknown" };
  const record: ServerRecord = { process: identity, socketPath };
  if (!isDeepStrictEqual(loadServerRecord(dir), record)) saveServerRecord(dir, record);
  return { record, info };
}

async function leaveServer(dir: string, member: string, joined: ServerRecord): Promise<void> {
  await removeMember(member);
  try {
    await withDirectoryLock(lockOf(dir), () => stopIfUnused(dir, joined));
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    // The directory was removed under the server, and with it the list of its members: nobody can join it any more.
    await killProcess(joined.process);
  }
}

async function stopIfUnused(dir: string, joined: ServerRecord): Promise<void> {
  const current = loadServerRecord(dir) ?? joined;
  const wasReplaced = formatProcess(current.process) !== formatProcess(joined.process);
  // Ended long ago, unless the directory was removed under it and made anew with another server, whose socket
  // it would remove if it were asked to end.
  if (wasReplaced) await killProcess(joined.process);
  if (!(await hasLiveMembers(dir))) await stopServer(dir, current);
}

function lockOf(dir: string) {
  return { dir: join(dir, LOCK_DIR), limitMs: LOCK_LIMIT_MS };
}

/** Makes the directory, for this user only, and gives its path without symbolic links. */
async function prepareDataDir(dir: string): Promise<string> {
  try {
    await mkdir(dirname(dir), { recursive: true });
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await chmod(dir, 0o700);
    await mkdir(join(dir, LOCK_DIR), { recursive: true });
    return await realpath(dir);
  } catch (cause) {
    throw new EmbeddedRedisError(
      "DIRECTORY_UNUSABLE",
      `${dir} cannot hold the data of the embedded Redis (${systemErrorCode(cause) ?? "unknown error"}); make it writable for you, or set REDIS_URL to use a server you have`,
      { cause },
    );
  }
}
