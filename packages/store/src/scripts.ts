import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RedisClient } from "./redis/redis-client.ts";
import { StoreError } from "./store-error.ts";

const LUA_DIR = new URL("../lua/", import.meta.url);
const INCLUDE = /^--- @include "([a-z_]+)"$/gm;

/** What a script may be called with. */
export type ScriptArgument = string | number;

/** A Lua script of `packages/store/lua`, run by its hash. */
export class Script {
  readonly name: string;
  readonly #text: string;
  readonly #sha: string;

  constructor(name: string) {
    this.name = name;
    this.#text = loadScript(name);
    this.#sha = createHash("sha1").update(this.#text).digest("hex");
  }

  /**
   * Runs the script atomically. A server that does not know it yet is given its text.
   *
   * @throws {StoreError} SCRIPT_FAILED with the server's words; connection errors pass through
   */
  async run(redis: RedisClient, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isReplyError(error)) throw error;
      if (!error.message.startsWith("NOSCRIPT")) throw this.#failed(error);
    }
    try {
      return await redis.eval(this.#text, keys.length, ...keys, ...args);
    } catch (error) {
      throw isReplyError(error) ? this.#failed(error) : error;
    }
  }

  #failed(cause: Error): StoreError {
    return new StoreError("SCRIPT_FAILED", `redis refused ${this.name}: ${cause.message}`, { cause });
  }
}

function loadScript(name: string): string {
  const text = readFileSync(new URL(`${name}.lua`, LUA_DIR), "utf8");
  return text.replace(INCLUDE, (_line, include: string) =>
    readFileSync(new URL(`include/${include}.lua`, LUA_DIR), "utf8"),
  );
}

function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** The elements of a reply as texts; none where it is no list. */
export function strings(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
