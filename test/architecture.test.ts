import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

interface LayerRule {
  /** Packages of this workspace it may import. */
  packages: string[];
  /** Libraries it may import; absent: whatever its package.json declares. */
  libraries?: string[];
}

/** Who may import whom. A new package needs a line here. */
const LAYERS: Record<string, LayerRule> = {
  schemas: { packages: [], libraries: ["zod"] },
  core: { packages: ["schemas"], libraries: ["@marcbachmann/cel-js", "yaml", "fastest-levenshtein"] },
  store: {
    packages: ["core", "schemas"],
    libraries: ["ioredis", "@aws-sdk/client-s3", "@aws-sdk/lib-storage", "bullmq"],
  },
  engine: { packages: ["store", "core", "schemas"], libraries: ["uuid", "diff", "es-module-lexer"] },
  scheduler: { packages: ["engine", "store", "core", "schemas"] },
  worker: { packages: ["engine", "store", "core", "schemas"] },
  dashboard: { packages: ["engine", "store", "core", "schemas"] },
  cli: { packages: ["scheduler", "worker", "dashboard", "engine", "store", "core", "schemas"] },
  testkit: { packages: ["cli", "scheduler", "worker", "dashboard", "engine", "store", "core", "schemas"] },
};

/** Packages whose result depends on their arguments only. */
const PURE_LAYERS = ["schemas", "core"];

/** Node modules that compute and neither read nor write anything outside their arguments. */
const PURE_NODE_MODULES = ["assert", "buffer", "crypto", "path", "path/posix", "string_decoder", "url", "util"];

/** What would make a pure package read a clock, chance, the environment or the network. */
const IMPURE_PATTERNS: Record<string, RegExp> = {
  "Date.now": /\bDate\s*\.\s*now\b/,
  "new Date()": /\bnew\s+Date\b(?!\s*\(\s*[^\s)])/,
  "Date()": /(?<!\bnew\s+)(?<![.\w$#])Date\s*\(/,
  "Math.random": /\bMath\s*\.\s*random\b/,
  "random of node:crypto": /\b(?:randomUUID|randomBytes|randomInt|randomFill|randomFillSync|getRandomValues)\b/,
  process: /(?<![.\w$#])process\s*[.[]/,
  globalThis: /\bglobalThis\b/,
  "a timer": /(?<![.\w$#])(?:setTimeout|setInterval|setImmediate)\b/,
  fetch: /(?<![.\w$#])fetch\s*\(/,
  performance: /(?<![.\w$#])performance\s*\./,
  "import()": /(?<![.\w$#])import\s*\(/,
};

// ---------------------------------------------------------------------------------------------------------- scanner

const COMMENT = String.raw`\/\*[\s\S]*?\*\/|\/\/[^\n]*`;
const QUOTED = String.raw`"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`;
const TEMPLATE = "`(?:\\\\[\\s\\S]|[^`\\\\])*`";
// A slash starts a regular expression where a value is expected: after an operator, a bracket, or `return`.
const REGEX = String.raw`(?<=(?:[=(,:;!&|?{}[\n]|\breturn|=>)[ \t]*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*`;
const TOKEN = new RegExp([COMMENT, QUOTED, TEMPLATE, REGEX].join("|"), "g");

const IMPORT_FORMS = [
  /(?<![.\w$#])(?:import|export)\b[^;"'`()=]*?\bfrom\s*["']([^"'\n]+)["']/g,
  /(?<![.\w$#])import\s*["']([^"'\n]+)["']/g,
  /(?<![.\w$#])(?:import|require)\s*\(\s*["']([^"'\n]+)["']/g,
];

/** The module names a TypeScript source imports or re-exports, types included, in order of form. */
function scanImports(source: string): string[] {
  const code = blankText(source, (token) => /^["'][^\s"']+["']$/.test(token));
  return IMPORT_FORMS.flatMap((form) => [...code.matchAll(form)].flatMap((match) => match[1] ?? []));
}

/** The source without comments, quoted text and regular expressions. Templates stay: they hold code. */
function stripText(source: string): string {
  return blankText(source, (token) => token.startsWith("`"));
}

/** Empties every string, template and regular expression, unless it is to be kept, and removes comments. */
function blankText(source: string, isKept: (token: string) => boolean): string {
  return source.replace(TOKEN, (token) => {
    if (/^\/[/*]/.test(token)) return " ";
    return isKept(token) ? token : '""';
  });
}

// ------------------------------------------------------------------------------------------------------------ rules

/** Breaches of the import direction by one file of `packages/<layer>/src`. */
function directionBreaches(layer: string, source: string, declared: string[]): string[] {
  const rule = LAYERS[layer];
  if (rule === undefined) return [`${layer} has no line in LAYERS`];
  return scanImports(source).flatMap((specifier) => {
    if (specifier.startsWith(".")) return [];
    if (isBuiltin(specifier)) return nodeModuleBreach(layer, specifier);
    const target = workspacePackage(specifier);
    if (target !== undefined) return rule.packages.includes(target) ? [] : [`${layer} must not import ${specifier}`];
    const library = libraryName(specifier);
    if (!declared.includes(library)) return [`${layer} imports ${library}, which its package.json does not declare`];
    const isAllowed = rule.libraries === undefined || rule.libraries.includes(library);
    return isAllowed ? [] : [`${layer} must not import the library ${library}`];
  });
}

function nodeModuleBreach(layer: string, specifier: string): string[] {
  const isPure = PURE_NODE_MODULES.includes(specifier.replace(/^node:/, ""));
  return PURE_LAYERS.includes(layer) && !isPure ? [`${layer} is pure and must not import ${specifier}`] : [];
}

/** Breaches of "by its name, never by its inside" by one file anywhere in the workspace. */
function reachBreaches(file: string, source: string): string[] {
  return scanImports(source).flatMap((specifier) => {
    if (/^(?:@fanfold\/[^/]+|fanfold)\//.test(specifier)) return [`${specifier} reaches into a package`];
    if (!specifier.startsWith(".")) return [];
    const target = relative(ROOT, resolve(dirname(join(ROOT, file)), specifier));
    return homeOf(target) === homeOf(file) ? [] : [`${specifier} leaves ${homeOf(file)} for ${target}`];
  });
}

/** Impurities in one file of a pure package. */
function impurities(source: string): string[] {
  const code = stripText(source);
  return Object.keys(IMPURE_PATTERNS).filter((name) => IMPURE_PATTERNS[name]?.test(code));
}

/** True when a source re-exports a module without listing the names. */
function hasStarExport(source: string): boolean {
  return /(?<![.\w$#])export\s*(?:type\s*)?\*/.test(stripText(source));
}

/** Arguments a Lua script uses and its header does not name, or the other way round. */
function luaHeaderBreaches(script: string): string[] {
  const header = /^(?:--[^\n]*(?:\n|$))+/.exec(script)?.[0] ?? "";
  if (header === "") return ["starts without a comment header"];
  const body = script.slice(header.length).replace(/--\[\[[\s\S]*?\]\]|--[^\n]*/g, "");
  const named = luaArguments(header);
  const used = luaArguments(body);
  const breaches = used.filter((name) => !named.includes(name)).map((name) => `header does not name ${name}`);
  // A computed index, such as ARGV[i], may use any argument: then a named one cannot be called unused.
  const isComputed = /\b(?:KEYS|ARGV)\s*(?:\[\s*[^\d\s]|[^[\s\w])/.test(body);
  const unused = isComputed ? [] : named.filter((name) => !used.includes(name));
  return [...breaches, ...unused.map((name) => `header names ${name}, which the script does not use`)];
}

function luaArguments(text: string): string[] {
  const names = [...text.matchAll(/\b(KEYS|ARGV)\s*\[\s*(\d+)\s*\]/g)].map((match) => `${match[1]}[${match[2]}]`);
  return [...new Set(names)];
}

function workspacePackage(specifier: string): string | undefined {
  if (specifier === "fanfold") return "cli";
  return /^@fanfold\/([^/]+)/.exec(specifier)?.[1];
}

function libraryName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The part of the tree within which relative imports stay: a package, or all that is not a package. */
function homeOf(file: string): string {
  return /^packages\/[^/]+/.exec(file)?.[0] ?? "the workspace root";
}

// ---------------------------------------------------------------------------------------------------- the workspace

const layers = readdirSync(join(ROOT, "packages"));

/** Paths of the files below `directory` that end in `extension`, relative to the root of the workspace. */
function listSources(directory: string, extension: string): string[] {
  if (!existsSync(join(ROOT, directory))) return [];
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(directory, file))
    .sort();
}

function readSource(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** What `check` finds in each file, each finding with the file it is in. */
function findInFiles(files: string[], check: (source: string, file: string) => string[]): string[] {
  return files.flatMap((file) => check(readSource(file), file).map((finding) => `${file}: ${finding}`));
}

describe("the workspace", () => {
  test.each(layers)("%s imports only what lies below it", (layer) => {
    const files = listSources(`packages/${layer}/src`, ".ts");
    const manifest: { dependencies?: Record<string, string> } = JSON.parse(
      readSource(`packages/${layer}/package.json`),
    );
    const declared = Object.keys(manifest.dependencies ?? {});
    expect(files).not.toEqual([]);
    expect(findInFiles(files, (source) => directionBreaches(layer, source, declared))).toEqual([]);
  });

  test("no file reaches into another package or leaves its own by a relative path", () => {
    const packageFiles = layers.flatMap((layer) =>
      ["src", "test"].flatMap((part) => listSources(`packages/${layer}/${part}`, ".ts")),
    );
    const files = [...packageFiles, ...listSources("test", ".ts"), ...listSources("bench", ".ts")];
    expect(findInFiles(files, (source, file) => reachBreaches(file, source))).toEqual([]);
  });

  test.each(PURE_LAYERS)("%s reads no clock, chance, environment or network", (layer) => {
    expect(findInFiles(listSources(`packages/${layer}/src`, ".ts"), impurities)).toEqual([]);
  });

  test("every module lists the names it exports", () => {
    const files = layers.flatMap((layer) => listSources(`packages/${layer}/src`, ".ts"));
    expect(files.filter((file) => hasStarExport(readSource(file)))).toEqual([]);
  });

  test("every Lua script opens with a header that names its arguments", () => {
    expect(findInFiles(listSources("packages/store/lua", ".lua"), luaHeaderBreaches)).toEqual([]);
  });
});

describe("the scanner", () => {
  test.each([
    ['import { a } from "x";', ["x"]],
    ['import type { A } from "@s/x/deep";', ["@s/x/deep"]],
    ["import a, {\n  b, // not from \"c\"\n  type D,\n} from './y.ts';", ["./y.ts"]],
    ['import "side-effect";', ["side-effect"]],
    ['export { a } from "x"; export * from "y";', ["x", "y"]],
    ['const m = await import("lazy");', ["lazy"]],
    ['type T = import("types").T;', ["types"]],
    ['const r = require("old");', ["old"]],
    ['const quote = /["\']/; import a from "after-regex";', ["after-regex"]],
    ['const url = "https://host/path"; import a from "after-url";', ["after-url"]],
    ['export const from = 1; const s = ["from", "x"];', []],
    ['// import a from "x"\n/* import "y"; */', []],
    ['const s = \'import a from "x"\'; const t = `\nimport b from "y";\n`;', []],
    ['import(path); Array.from("abc"); loader.import("x");', []],
  ])("finds the imports of %j", (source, expected) => {
    expect(scanImports(source)).toEqual(expected);
  });

  test.each([
    ["core", 'import { x } from "@fanfold/store";', "must not import @fanfold/store"],
    ["schemas", 'import type { x } from "@fanfold/core";', "must not import @fanfold/core"],
    ["store", 'export { x } from "@fanfold/engine";', "must not import @fanfold/engine"],
    ["scheduler", 'import { x } from "@fanfold/worker";', "must not import @fanfold/worker"],
    ["worker", 'import { x } from "@fanfold/testkit";', "must not import @fanfold/testkit"],
    ["engine", 'import { x } from "fanfold";', "must not import fanfold"],
    ["core", 'import { readFile } from "node:fs/promises";', "is pure and must not import node:fs/promises"],
    ["core", 'import os from "os";', "is pure and must not import os"],
    ["core", 'import x from "lib";', "must not import the library lib"],
    ["worker", 'import x from "left-out";', "which its package.json does not declare"],
    ["stranger", "", "has no line in LAYERS"],
  ])("finds that %s breaks the direction with %s", (layer, source, finding) => {
    expect(directionBreaches(layer, source, ["lib"])).toEqual([expect.stringContaining(finding)]);
  });

  test("lets pass what the direction allows", () => {
    const source = 'import { z } from "zod"; import { createHash } from "node:crypto"; import { a } from "./a.ts";';
    expect(directionBreaches("schemas", source, ["zod"])).toEqual([]);
    expect(directionBreaches("cli", 'import { x } from "@fanfold/worker"; import fs from "node:fs";', [])).toEqual([]);
  });

  test.each([
    ["packages/core/src/a.ts", 'import { x } from "@fanfold/schemas/src/plan.ts";'],
    ["packages/core/src/a.ts", 'import { x } from "../../schemas/src/plan.ts";'],
    ["packages/core/test/a.test.ts", 'import { x } from "../../../test/b.ts";'],
    ["test/e2e/a.test.ts", 'import { x } from "../../packages/core/src/a.ts";'],
  ])("finds that %s reaches too far with %s", (file, source) => {
    expect(reachBreaches(file, source)).toHaveLength(1);
  });

  test("lets a file import within its own package", () => {
    expect(reachBreaches("packages/core/test/run/a.test.ts", 'import { x } from "../../src/run/a.ts";')).toEqual([]);
    expect(reachBreaches("test/e2e/a.test.ts", 'import { x } from "../b.ts";')).toEqual([]);
  });

  test.each([
    ["const t = Date.now();", "Date.now"],
    ["const t = new Date();", "new Date()"],
    ["const t = new Date;", "new Date()"],
    ["const t = `at ${Date()}`;", "Date()"],
    ["Math.random()", "Math.random"],
    ["const id = randomUUID();", "random of node:crypto"],
    ["const home = process.env.HOME;", "process"],
    ["const g = globalThis;", "globalThis"],
    ["setTimeout(run, 5);", "a timer"],
    ["await fetch(url);", "fetch"],
    ["performance.now()", "performance"],
    ["const m = await import(path);", "import()"],
  ])("finds that %s is impure", (source, finding) => {
    expect(impurities(source)).toEqual([finding]);
  });

  test.each([
    "const text = new Date(ms).toISOString();",
    '// Date.now() is not for us\nconst s = "Math.random";',
    "const x = store.fetch(id); runner.setTimeout(5); job.process.env;",
  ])("finds nothing impure in %j", (source) => {
    expect(impurities(source)).toEqual([]);
  });

  test("finds star exports", () => {
    expect(hasStarExport('export * from "./a.ts";')).toBe(true);
    expect(hasStarExport('export type * from "./a.ts";')).toBe(true);
    expect(hasStarExport('export { a } from "./a.ts"; // export * from')).toBe(false);
  });

  test.each([
    ["return KEYS[1]", ["starts without a comment header"]],
    ["-- KEYS[1] run\nreturn redis.call('GET', KEYS[1], ARGV[1])", ["header does not name ARGV[1]"]],
    [
      "-- KEYS[1] run\n-- ARGV[1] now\nreturn KEYS[1] -- ARGV[1]",
      ["header names ARGV[1], which the script does not use"],
    ],
    ["-- KEYS[1] run, ARGV[1] and on: fields\nfor i = 1, #ARGV do redis.call('GET', KEYS[1], ARGV[i]) end", []],
    ["-- Adds one.\nlocal function increment(x) return x + 1 end", []],
  ])("checks the Lua header of %j", (script, findings) => {
    expect(luaHeaderBreaches(script)).toEqual(findings);
  });
});
