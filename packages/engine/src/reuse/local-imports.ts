import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { init, parse } from "es-module-lexer";

const MODULES: ReadonlySet<string> = new Set([".js", ".mjs", ".cjs"]);
/** What `require` tries after a name that is no file. */
const ENDINGS = ["", ".js", ".json", ".cjs", ".mjs", "/index.js"];
/** A call of `require` with a relative path; a lexer for it would be one more dependency. */
const REQUIRED = /\brequire\s*\(\s*["'](\.[^"']*)["']\s*\)/g;

/**
 * A JavaScript file and every file it imports by a relative path, directly or not. Imports of packages, and those whose
 * path is made up at run time, are not followed; nor are files in other languages.
 */
export async function withLocalImports(entry: string): Promise<string[]> {
  await init;
  const found = new Set([entry]);
  for (const path of found) {
    if (!MODULES.has(extname(path))) continue;
    for (const target of importsOf(await readFile(path, "utf8").catch(() => ""))) {
      const file = resolveImport(path, target);
      if (file !== undefined) found.add(file);
    }
  }
  return [...found];
}

function importsOf(source: string): string[] {
  const required = [...source.matchAll(REQUIRED)].flatMap(([, target]) => target ?? []);
  try {
    const [imports] = parse(source);
    return [...required, ...imports.flatMap(({ n }) => n ?? [])];
  } catch {
    // not a module: then only `require` brings in other files
    return required;
  }
}

function resolveImport(from: string, target: string): string | undefined {
  const isRelative = target.startsWith("./") || target.startsWith("../") || target === "." || target === "..";
  if (!isRelative && !target.startsWith("file:")) return undefined;
  const path = isRelative ? resolve(dirname(from), target.replace(/[?#].*$/, "")) : fileURLToPath(target);
  return ENDINGS.map((ending) => path + ending).find((file) => existsSync(file) && statSync(file).isFile());
}
