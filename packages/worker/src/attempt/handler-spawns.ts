import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { AttemptError } from "./attempt-error.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import type { HandlerArtifacts, HandlerSpawned } from "./define-handler.ts";

/**
 * What the earlier attempts of a shard spawned, for its handler.
 *
 * @param read gives the artifacts in a directory
 */
export function handlerSpawned(
  { spawn }: AttemptSpec,
  read: (directory: string, what: string) => HandlerArtifacts,
): HandlerSpawned {
  const dir = spawn?.childrenDir ?? null;
  return {
    round: spawn?.round ?? 0,
    keys: dir === null ? [] : readdirSync(dir).sort(),
    artifacts: (key) => {
      if (dir !== null && /^[\w.-]+$/.test(key) && !/^\.+$/.test(key) && existsSync(join(dir, key))) {
        return read(join(dir, key), `${key}/`);
      }
      throw new AttemptError(
        "HANDLER_ERROR",
        `no earlier attempt of this shard spawned a phase under the key "${key}"`,
      );
    },
  };
}
