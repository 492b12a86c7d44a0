import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { compilePlanText, eventLevel, formatProblem, movePhase, moveRun } from "@fanfold/core";
import {
  DependencySchema,
  EVENT_NAMES,
  GlobalsSchema,
  MergeSchema,
  PhaseSchema,
  PhaseStatusSchema,
  PlanSchema,
  RunStatusSchema,
  ShardSchema,
  UNSUPPORTED_FIELDS,
} from "@fanfold/schemas";
import { Keys } from "@fanfold/store";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

const README = readText("README.md");
const ARCHITECTURE = readText("ARCHITECTURE.md");
const JOURNAL = readText("docs/journal.md");
const CONFIGURATION = readText("docs/configuration.md");
const STATE_MACHINES = readText("docs/state-machines.md");

// --------------------------------------------------------------------------------------------------------- markdown

function readText(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** Text below a heading, up to the next one of its level or above. Lines in code blocks are no headings. */
function section(document: string, heading: string): string {
  const lines = document.split("\n");
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const level = heading.indexOf(" ");
  let isCode = false;
  const end = lines.findIndex((line, i) => {
    if (line.startsWith("```")) isCode = !isCode;
    return i > start && !isCode && /^#+ /.test(line) && line.indexOf(" ") <= level;
  });
  return lines.slice(start + 1, end < 0 ? undefined : end).join("\n");
}

/** Rows of the tables in a text, without their heads: the cells of each. */
function tableRows(text: string): string[][] {
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  return rows
    .filter((row, i) => !isRule(row) && !isRule(rows[i + 1] ?? ""))
    .map((row) => row.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

function isRule(row: string): boolean {
  return /^\|[ :|-]+\|$/.test(row);
}

/** Everything between backticks in running text. */
function codeWords(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`]+)`/g)].flatMap(([, word]) => word ?? []);
}

/** The code words of the first column of the tables below a heading. */
function firstColumn(document: string, heading: string): string[] {
  return tableRows(section(document, heading)).flatMap(([cell = ""]) => codeWords(cell));
}

/** Code blocks whose fence says exactly this, such as `yaml plan`. */
function codeBlocks(document: string, fence: string): string[] {
  const blocks = [...document.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)];
  return blocks.filter(([, info]) => info === fence).map(([, , body = ""]) => body);
}

function withoutBlocks(document: string): string {
  return document.replace(/^```[\s\S]*?^```$/gm, "");
}

/** The anchor GitHub gives a heading. */
function anchorOf(heading: string): string {
  const words = heading.replace(/^#+ /, "").toLowerCase();
  return words.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

function anchors(document: string): string[] {
  return [...withoutBlocks(document).matchAll(/^#+ .+$/gm)].map(([heading]) => anchorOf(heading));
}

/** Every document of the repository, relative to its root. */
function listDocuments(): string[] {
  const skipped = new Set(["node_modules", "dist", "coverage"]);
  const below = (directory: string): string[] =>
    readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) || entry.name.startsWith(".") ? [] : below(path);
      return entry.name.endsWith(".md") ? [path] : [];
    });
  return below(".");
}

/** Links of a document that lead nowhere. Those to other sites are not looked at. */
function brokenLinks(file: string): string[] {
  const text = withoutBlocks(readText(file)).replace(/`[^`\n]*`/g, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => link ?? []);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : relative(ROOT, join(ROOT, dirname(file), path));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchors(readText(target)).includes(anchor);
  });
}

// ------------------------------------------------------------------------------------------------------------- code

/** What this file wants of commander's Command. */
interface CommandFacts {
  readonly commands: readonly CommandFacts[];
  readonly options: readonly { readonly long?: string }[];
  name(): string;
}

/** A module of the command line; its package exports only the client library. */
async function importCli(file: string): Promise<Record<string, unknown>> {
  return await import(pathToFileURL(join(ROOT, "packages/cli/src", file)).href);
}

async function loadProgram(): Promise<CommandFacts> {
  const { buildProgram } = await importCli("program.ts");
  if (typeof buildProgram !== "function") throw new Error("program.ts does not export buildProgram");
  return buildProgram();
}

function listSources(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(directory, file));
}

/** Environment variables that the product reads or sets. */
function environmentVariables(): string[] {
  const sources = readdirSync(join(ROOT, "packages"))
    .filter((name) => name !== "testkit")
    .flatMap((name) => listSources(`packages/${name}/src`))
    .map(readText)
    .join("\n");
  const read = [...sources.matchAll(/\benv(?:\.|\[")([A-Z][A-Z0-9_]*)/g)].flatMap(([, name]) => name ?? []);
  const named = [...sources.matchAll(/\bFANFOLD_[A-Z0-9_]+\b/g)].map(([name]) => name);
  return [...new Set([...read, ...named])].filter((name) => name !== "PATH").sort();
}

/** Edges of the state diagram below a heading, as `from to`. */
function diagramMoves(heading: string): string[] {
  const [diagram = ""] = codeBlocks(section(STATE_MACHINES, heading), "mermaid");
  return [...diagram.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} ${to}`).sort();
}

/** The moves a machine allows, as `from to`. */
function legalMoves<Status extends string>(
  statuses: readonly Status[],
  move: (from: Status, to: Status) => void,
): string[] {
  const pairs = statuses.flatMap((from) => statuses.map((to) => [from, to] as const));
  const isLegal = ([from, to]: readonly [Status, Status]): boolean => {
    try {
      move(from, to);
      return true;
    } catch {
      return false;
    }
  };
  return pairs
    .filter(isLegal)
    .map(([from, to]) => `${from} ${to}`)
    .sort();
}

// ------------------------------------------------------------------------------------------------------------ tests

describe("README.md", () => {
  test("has a row for every command, and for nothing else", async () => {
    const program = await loadProgram();
    const [commands = ""] = section(README, "## Command line").split("### Exit codes");
    const rows = tableRows(commands).map(([cell = ""]) => /^`(\S+?)(?: <\w+>)?`$/.exec(cell)?.[1] ?? cell);
    expect(rows.sort()).toEqual(program.commands.map((command) => command.name()).sort());
  });

  test("names every option", async () => {
    const program = await loadProgram();
    const options = [program, ...program.commands].flatMap((command) => command.options.map(({ long = "" }) => long));
    expect(options.filter((option) => !codeWords(README).some((word) => word.includes(option)))).toEqual([]);
  });

  test("has the table of exit codes", async () => {
    const { EXIT } = await importCli("exit-codes.ts");
    const rows = tableRows(section(README, "### Exit codes"));
    expect(Object.fromEntries(rows.map(([code, name = ""]) => [name.replaceAll("`", ""), Number(code)]))).toEqual(EXIT);
  });

  test.each([
    ["### Top level", Object.keys(PlanSchema.shape)],
    ["### `globals`", Object.keys(GlobalsSchema.shape)],
    ["### A phase", Object.keys(PhaseSchema.shape)],
    ["### `depends_on`", Object.keys(DependencySchema.shape)],
    ["### `shard`", Object.keys(ShardSchema.shape)],
    ["### `merge`", Object.keys(MergeSchema.shape)],
  ])("lists under %s exactly the fields there are", (heading, fields) => {
    expect(firstColumn(README, heading).sort()).toEqual(fields.sort());
  });

  test("lists exactly the fields that are refused as not supported yet", () => {
    const listed = codeWords(section(README, "### Not supported yet")).filter(
      (word) => word !== "globals" && word !== "shard.over",
    );
    expect(listed.sort()).toEqual(Object.values(UNSUPPORTED_FIELDS).flat().sort());
  });

  test("has only plans that are valid", () => {
    const plans = codeBlocks(README, "yaml plan");
    expect(plans.length).toBeGreaterThan(0);
    for (const text of plans) expect(problemsOf(text, "README.md")).toEqual([]);
  });

  test("shows the plan of examples/hello as it is", () => {
    expect(codeBlocks(README, "yaml plan")).toContain(readText("examples/hello/plan.yaml"));
  });
});

/** Values for the variables that an example cannot run without and has no default for. */
const EXAMPLE_VARIABLES: Readonly<Record<string, Record<string, string>>> = {
  "safe-merge": { REPO: "/srv/clone", BRANCH: "feature" },
};

function problemsOf(text: string, file: string, variables: Record<string, string> = {}): string[] {
  const result = compilePlanText({ text, file }, { strict: true, variables });
  return (result.ok ? result.warnings : result.problems).map(formatProblem);
}

describe("the examples", () => {
  test.each(readdirSync(join(ROOT, "examples")))("%s has a valid plan and a README", (name) => {
    const plans = readdirSync(join(ROOT, "examples", name)).filter((file) => /^plan\.(yaml|json)$/.test(file));
    expect(plans).toHaveLength(1);
    for (const file of plans) {
      const text = readText(`examples/${name}/${file}`);
      expect(problemsOf(text, `${name}/${file}`, EXAMPLE_VARIABLES[name])).toEqual([]);
    }
    expect(existsSync(join(ROOT, "examples", name, "README.md"))).toBe(true);
  });
});

describe("ARCHITECTURE.md", () => {
  test("has a row for every package", () => {
    expect(firstColumn(ARCHITECTURE, "## Packages").sort()).toEqual(readdirSync(join(ROOT, "packages")).sort());
  });

  test("has a row for every Redis key of a run", () => {
    const keys = Object.values(new Keys("…").run("<run>"));
    const listed = firstColumn(ARCHITECTURE, "## State in Redis");
    expect(keys.filter((key) => !listed.includes(key))).toEqual([]);
  });

  test("names every Lua script that opens, claims, starts, ends or stops something", () => {
    const scripts = readdirSync(join(ROOT, "packages/store/lua")).filter((file) => file.endsWith(".lua"));
    const documents = ARCHITECTURE + STATE_MACHINES;
    expect(scripts.filter((file) => !documents.includes(file.replace(/\.lua$/, "")))).toEqual([]);
  });
});

describe("docs/journal.md", () => {
  test("lists every event, and no other", () => {
    const emitted = firstColumn(JOURNAL, "## Events");
    const reserved = codeWords(section(JOURNAL, "### Reserved"));
    expect([...emitted, ...reserved].sort()).toEqual([...EVENT_NAMES].sort());
  });

  test("gives every event its level", () => {
    const levels = tableRows(section(JOURNAL, "## Events")).map(([event = "", level]) => [
      event.replaceAll("`", ""),
      level,
    ]);
    const wanted = EVENT_NAMES.map((event) => [event, eventLevel(event)]);
    expect(wanted).toEqual(expect.arrayContaining(levels));
  });

  test("calls reserved exactly the events that nothing emits", () => {
    const reserved = codeWords(section(JOURNAL, "### Reserved"));
    const directories = ["core/src/run", "engine/src", "scheduler/src", "worker/src"];
    const code = directories.flatMap((directory) => listSources(`packages/${directory}`)).map(readText);
    const lua = ["", "include/"].flatMap((directory) =>
      readdirSync(join(ROOT, "packages/store/lua", directory))
        .filter((file) => file.endsWith(".lua"))
        .map((file) => readText(`packages/store/lua/${directory}${file}`)),
    );
    const emitters = [...code, ...lua].join("\n");
    const silent = EVENT_NAMES.filter((event) => !new RegExp(`["']${event}["']`).test(emitters));
    expect(reserved.sort()).toEqual(silent.sort());
  });

  test("lists every error code of an attempt", () => {
    const source = readText("packages/worker/src/attempt/attempt-error.ts");
    const [, union = ""] = /type AttemptErrorCode =([^;]+);/.exec(source) ?? [];
    const codes = [...union.matchAll(/"([A-Z_]+)"/g)].flatMap(([, code]) => code ?? []);
    const listed = firstColumn(JOURNAL, "## Error codes of attempts");
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => code !== "CANCELLED" && !listed.includes(code))).toEqual([]);
  });
});

describe("docs/state-machines.md", () => {
  test("draws the moves of a run", () => {
    const legal = legalMoves(RunStatusSchema.options, (from, to) => moveRun("run", from, to));
    expect(diagramMoves("## Run")).toEqual(legal);
  });

  test("draws the moves of a phase", () => {
    const legal = legalMoves(PhaseStatusSchema.options, (from, to) => movePhase("phase", from, to));
    expect(diagramMoves("## Phase")).toEqual(legal);
  });
});

describe("docs/configuration.md", () => {
  test("names every environment variable, unless the README says that an attempt gets it", () => {
    const forAttempts = firstColumn(README, "## The contract with a command");
    const documented = [...forAttempts, ...codeWords(CONFIGURATION)];
    expect(environmentVariables().filter((name) => !documented.includes(name))).toEqual([]);
  });
});

describe("docs/performance.md", () => {
  test("has a row for every workload", () => {
    const listed = /const workloads = \{(.*?)\};/s.exec(readText("bench/workloads/index.mjs"))?.[1] ?? "";
    const workloads = [...listed.matchAll(/^ *(\w+):/gm)].map(([, name]) => name);
    const rows = tableRows(section(readText("docs/performance.md"), "## Workloads")).map(([name]) => name);
    expect(workloads.length).toBeGreaterThan(10);
    expect(rows).toEqual(workloads);
  });
});

describe("every document", () => {
  test.each(listDocuments())("%s has only links that lead somewhere", (file) => {
    expect(brokenLinks(file)).toEqual([]);
  });
});
