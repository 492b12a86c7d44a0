import { createHash } from "node:crypto";
import { lstat, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EmbeddedRedisError } from "./embedded-redis-error.ts";
import { systemErrorCode } from "./file-errors.ts";

/** Below the 103 bytes that macOS allows and the 106 that some servers make of Linux's 107. */
export const MAX_SOCKET_PATH_BYTES = 100;

const SOCKET_NAME = "redis.sock";
const HASH_LENGTH = 16;

/** Where the socket of a data directory goes. */
export interface SocketPathOptions {
  /** The data directory, without symbolic links in its path. */
  dir: string;
  /** Directory for the sockets of data directories whose path is too long. */
  temporaryDir: string;
}

/**
 * Path of the socket for a data directory: inside it, or, when that path is longer than a socket path may be,
 * in a directory of its own under `temporaryDir`, named after the data directory. Pure.
 */
export function buildSocketPath({ dir, temporaryDir }: SocketPathOptions): string {
  const inside = join(dir, SOCKET_NAME);
  if (fits(inside)) return inside;
  const hash = createHash("sha256").update(dir).digest("hex").slice(0, HASH_LENGTH);
  return join(temporaryDir, `fanfold-${process.getuid?.() ?? "user"}-${hash}`, SOCKET_NAME);
}

/**
 * Makes the directory of the socket, for this user only.
 *
 * @throws {EmbeddedRedisError} `SOCKET_PATH_UNUSABLE` when the path is too long even so, or when others could
 *   reach into the directory
 */
export async function prepareSocketDir(socketPath: string): Promise<void> {
  if (!fits(socketPath)) {
    throw new EmbeddedRedisError(
      "SOCKET_PATH_UNUSABLE",
      `${socketPath} is longer than the ${MAX_SOCKET_PATH_BYTES} bytes of a socket path; set TMPDIR to a shorter directory`,
    );
  }
  const dir = dirname(socketPath);
  try {
    await mkdir(dir, { mode: 0o700 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw socketDirError(dir, "cannot be made", error);
  }
  const found = await lstat(dir);
  const isOurs = found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid);
  if (!isOurs || (found.mode & 0o077) !== 0) throw socketDirError(dir, "is open to other users");
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

function socketDirError(dir: string, what: string, cause?: unknown): EmbeddedRedisError {
  const message = `${dir}, which is to hold the socket of the embedded Redis, ${what}; remove it, or set TMPDIR to another directory`;
  return new EmbeddedRedisError("SOCKET_PATH_UNUSABLE", message, { cause });
}
