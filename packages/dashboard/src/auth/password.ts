import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** Cost of new hashes: about 32 MiB of memory and 60 ms. */
const COST = 2 ** 15;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const KEY_BYTES = 32;
/** Largest parameters that are accepted of a hash: more would be a way to stop the dashboard. */
const MAX_COST = 2 ** 20;
const MAX_BLOCK_SIZE = 32;
const MAX_PARALLEL = 16;

const HASH = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9_-]{8,})\$([A-Za-z0-9_-]{20,})$/;

interface ScryptOptions {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly maxmem: number;
}

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Hash of a password, with a salt of its own: `scrypt$N$r$p$salt$key`, salt and key in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password.normalize("NFKC"), salt, KEY_BYTES, optionsOf(COST, BLOCK_SIZE, PARALLEL));
  return ["scrypt", COST, BLOCK_SIZE, PARALLEL, salt.toString("base64url"), key.toString("base64url")].join("$");
}

/** Whether a text is a hash that {@link isPassword} can check. */
export function isPasswordHash(hash: string): boolean {
  const [, cost, blockSize, parallel] = HASH.exec(hash) ?? [];
  const [n, r, p] = [Number(cost), Number(blockSize), Number(parallel)];
  return n >= 2 && (n & (n - 1)) === 0 && n <= MAX_COST && r >= 1 && r <= MAX_BLOCK_SIZE && p >= 1 && p <= MAX_PARALLEL;
}

/** Whether a password is that of a hash. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, cost = "", blockSize = "", parallel = "", salt = "", key = ""] = HASH.exec(hash) ?? [];
  if (!isPasswordHash(hash)) return false;
  const wanted = Buffer.from(key, "base64url");
  const options = optionsOf(Number(cost), Number(blockSize), Number(parallel));
  const given = await derive(password.normalize("NFKC"), Buffer.from(salt, "base64url"), wanted.length, options);
  return timingSafeEqual(given, wanted);
}

function optionsOf(N: number, r: number, p: number): ScryptOptions {
  return { N, r, p, maxmem: 256 * N * r * p + 2 ** 20 };
}
