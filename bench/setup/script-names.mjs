import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { join } from "node:path";

const LUA = fileURLToPath(new URL("../../packages/store/lua/", import.meta.url));
const BULLMQ = fileURLToPath(new URL("scripts/", import.meta.resolve("bullmq")));
const INCLUDE = /^--- @include "([a-z_]+)"$/gm;

let loading;

/** Hash → name of every script of the store (`finish_shard`) and of BullMQ (`bull:addStandardJob`). */
export function scriptNames() {
  loading ??= load();
  return loading;
}

async function load() {
  const names = new Map();
  for (const file of await readdir(LUA)) {
    if (!file.endsWith(".lua")) continue;
    names.set(hashOf(await readOwn(file)), file.slice(0, -".lua".length));
  }
  for (const file of await readdir(BULLMQ)) {
    if (!/-\d+\.js$/.test(file)) continue;
    const module = await import(pathToFileURL(join(BULLMQ, file)).href);
    for (const { name, content } of Object.values(module)) {
      if (typeof content === "string") names.set(hashOf(content), `bull:${name}`);
    }
  }
  return names;
}

/** As the store puts a script together. */
async function readOwn(file) {
  const text = await readFile(join(LUA, file), "utf8");
  const parts = new Map();
  for (const [, include] of text.matchAll(INCLUDE)) {
    parts.set(include, await readFile(join(LUA, "include", `${include}.lua`), "utf8"));
  }
  return text.replace(INCLUDE, (_line, include) => parts.get(include));
}

function hashOf(text) {
  return createHash("sha1").update(text).digest("hex");
}
