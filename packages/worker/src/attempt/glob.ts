import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AttemptError } from "./attempt-error.ts";

/** Most directory entries that are looked at for the patterns of one attempt. */
const MAX_LOOKED_AT = 200_000;

/**
 * Files below a directory that match a pattern, as paths relative to it, sorted. `*` and `?` stand for characters of one
 * name, `**` for any number of directories. They match no name that begins with a dot, and go into no symlink; a name
 * that is written out may be either.
 *
 * @throws {AttemptError} COLLECT_LIMIT when there is too much to look at
 */
export async function findFiles(dir: string, patterns: readonly string[]): Promise<string[]> {
  const search = new Search(dir);
  for (const pattern of patterns) await search.match([], splitPattern(pattern));
  return [...search.found].sort();
}

/** Names and wildcards of a pattern; `**` at the end stands for all files below. */
function splitPattern(pattern: string): string[] {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  const once = parts.filter((part, i) => part !== "**" || parts[i - 1] !== "**");
  return once.at(-1) === "**" ? [...once, "*"] : once;
}

interface FoundName {
  readonly name: string;
  readonly kind: "dir" | "file";
}

class Search {
  readonly found = new Set<string>();
  readonly #dir: string;
  readonly #seen = new Set<string>();
  #lookedAt = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async match(way: readonly string[], parts: readonly string[]): Promise<void> {
    const [part, ...rest] = parts;
    const key = `${way.join("/")}\0${parts.join("/")}`;
    if (part === undefined || this.#seen.has(key)) return;
    this.#seen.add(key);
    if (part === "**") {
      await this.match(way, rest);
      for (const { name, kind } of await this.#list(way)) {
        if (kind === "dir" && !name.startsWith(".")) await this.match([...way, name], parts);
      }
    } else if (/[*?]/.test(part)) {
      for (const { name, kind } of await this.#list(way)) {
        if (!matchesName(part, name)) continue;
        if (rest.length > 0 && kind === "dir") await this.match([...way, name], rest);
        if (rest.length === 0 && kind !== "dir") this.found.add([...way, name].join("/"));
      }
    } else if (rest.length > 0) {
      await this.match([...way, part], rest);
    } else {
      this.found.add([...way, part].join("/"));
    }
  }

  async #list(way: readonly string[]): Promise<FoundName[]> {
    const reading = readdir(join(this.#dir, ...way), { withFileTypes: true });
    const entries = await reading.catch((): Dirent[] => []);
    this.#lookedAt += entries.length;
    if (this.#lookedAt > MAX_LOOKED_AT) {
      throw new AttemptError("COLLECT_LIMIT", `collect.files looks at more than ${MAX_LOOKED_AT} names`, {
        next_action: "begin the patterns with the directory the files are in",
      });
    }
    return entries.flatMap((entry): FoundName[] => {
      if (entry.isDirectory()) return [{ name: entry.name, kind: "dir" }];
      return entry.isFile() || entry.isSymbolicLink() ? [{ name: entry.name, kind: "file" }] : [];
    });
  }
}

/** Whether a name matches a pattern of `*` and `?`, in time that grows with the product of their lengths. */
export function matchesName(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  let [p, n, star, mark] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p;
      mark = n;
      p += 1;
    } else if (pattern[p] === "?" || pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      n = mark;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}
