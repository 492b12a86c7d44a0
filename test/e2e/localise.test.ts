import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunDocument } from "@fanfold/core";
import { describe, expect, test } from "vitest";
import { inWorkspace, parseRun, sha256, type Workspace } from "./site.ts";

const PLAN = "examples/localise/plan.yaml";
const LANGUAGES = ["spanish", "french", "german"];

/** Phases of every language, each an instance of its own. */
const PER_LANGUAGE = ["pretranslation", "translate", "qa", "edit", "export"];

/** A run of the example that must end with this exit code. */
async function localise(workspace: Workspace, code: number, ...args: string[]): Promise<RunDocument> {
  await workspace.copyExample("localise");
  const exit = await workspace.run("run", PLAN, ...args);
  expect(exit.code, exit.stdout + exit.stderr).toBe(code);
  return workspace.status();
}

function instance(phase: string, language: string): string {
  return `${phase}[language=${language}]`;
}

/** Phase and artifact → sha256, of all that a run has made. */
function hashesOf({ phases }: RunDocument): Record<string, string> {
  return Object.fromEntries(
    phases.flatMap(({ phase, artifacts }) => artifacts.map(({ name, sha256: hash }) => [`${phase} ${name}`, hash])),
  );
}

function exportHash(run: RunDocument, language: string): string | undefined {
  return hashesOf(run)[`${instance("export", language)} script`];
}

/** Phase → how it ended. */
function statusesOf({ phases }: RunDocument): Record<string, string> {
  return Object.fromEntries(phases.map(({ phase, status }) => [phase, status]));
}

function shardsOf({ phases }: RunDocument, id: string): number | undefined {
  return phases.find(({ phase }) => phase === id)?.shards.total;
}

/** The lines of the script the plan starts from, as its author wrote them. */
async function readStory(workspace: Workspace): Promise<string[]> {
  const text = await readFile(join(workspace.dir, "examples/localise/script.txt"), "utf8");
  return text.split("\n").filter((line) => line !== "" && !/^(#|==)/.test(line));
}

/** First word of a line, its speaker aside: no translation of the stand-in touches it, but for three dots. */
function firstWord(text: string): string | undefined {
  return text
    .replace(/^[A-Z]+: /, "")
    .replace("...", "…")
    .split(" ")[0];
}

/** Columns of the script one language's export has written. */
async function readExport(workspace: Workspace, run: RunDocument, language: string): Promise<string[][]> {
  const file = join(workspace.dir, ".fanfold/runs", run.run_id, "outputs/script", `language=${language}`);
  const content = await readFile(file, "utf8");
  expect(sha256(content)).toBe(exportHash(run, language));
  return content
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

/** One language's export holds every line of the script, in its order. */
async function expectWholeStory(workspace: Workspace, run: RunDocument, language: string): Promise<void> {
  const story = await readStory(workspace);
  const rows = await readExport(workspace, run, language);
  expect(story.length).toBeGreaterThanOrEqual(60);
  expect(rows.map(([, speaker]) => speaker)).toEqual(story.map((line) => /^([A-Z]+): /.exec(line)?.[1] ?? ""));
  expect(rows.map(([, , text]) => text?.split(" ", 2))).toEqual(
    story.map((line) => [`[${language}]`, firstWord(line)]),
  );
  expect(new Set(rows.map(([id]) => id)).size).toBe(story.length);
  expect(rows.filter(([id = ""]) => id.startsWith("harbour-")).map(([id]) => id?.slice(-2))).toEqual(
    Array.from({ length: 20 }, (_, index) => String(index + 1).padStart(2, "0")),
  );
}

function expectCosts(report: RunDocument): void {
  const { prompt, completion, total } = report.tokens;
  expect(Math.min(prompt, completion)).toBeGreaterThan(1_000);
  expect(total).toBe(prompt + completion);
  expect(report.cost_estimate_usd).toBeCloseTo((prompt * 0.003 + completion * 0.015) / 1_000, 9);
  expect(report.is_cost_partial).toBe(false);
  const ingest = report.phases.find(({ phase }) => phase === "ingest");
  expect(ingest?.cost_estimate_usd).toBeNull();
}

describe("the localisation of a visual novel", () => {
  test.concurrent(
    "gives the same bytes with one shard at a time and with four, and has all lines in each language",
    inWorkspace(async (workspace) => {
      const one = await localise(workspace, 0, "--concurrency", "1");
      const four = await localise(workspace, 0, "--concurrency", "4", "--no-cache");
      expect(hashesOf(four)).toEqual(hashesOf(one));
      expect(Object.keys(hashesOf(one))).toHaveLength(2 + PER_LANGUAGE.length * LANGUAGES.length);
      expect(new Set(LANGUAGES.map((language) => exportHash(one, language))).size).toBe(LANGUAGES.length);
      expect([shardsOf(one, "context"), shardsOf(one, instance("translate", "french"))]).toEqual([6, 7]);
      for (const language of LANGUAGES) await expectWholeStory(workspace, one, language);
    }),
  );

  test.concurrent(
    "has all lines also when only one language runs",
    inWorkspace(async (workspace) => {
      const run = await localise(workspace, 0, "--to", instance("export", "french"));
      expect(statusesOf(run)).toMatchObject({
        [instance("translate", "spanish")]: "skipped",
        [instance("translate", "german")]: "skipped",
      });
      await expectWholeStory(workspace, run, "french");
    }),
  );

  for (const skipped of ["qa", "context"]) {
    test.concurrent(
      `runs without ${skipped}, whose edges are soft`,
      inWorkspace(async (workspace) => {
        const run = await localise(workspace, 0, "--skip", skipped);
        const expected = run.phases.map(({ phase }) => [
          phase,
          phase.split("[")[0] === skipped ? "skipped" : "succeeded",
        ]);
        expect(statusesOf(run)).toEqual(Object.fromEntries(expected));
      }),
    );
  }

  test.concurrent(
    "is blocked when only export takes part, names all that is missing, and starts nothing",
    inWorkspace(async (workspace) => {
      const run = await localise(workspace, 1, "--only", "export");
      expect(run).toMatchObject({ status: "failed", attempts: 0, phase_counts: { blocked: LANGUAGES.length } });
      const blocked = (await workspace.journal()).filter(({ event }) => event === "phase_blocked");
      expect(blocked.map(({ phase, data }) => ({ phase, ...data }))).toEqual(
        LANGUAGES.map((language) => ({
          phase: instance("export", language),
          error_code: "missing_dependency",
          missing: ["ingest", instance("translate", language)],
        })),
      );
    }),
  );

  test.concurrent(
    "reports its tokens and their cost, and exports the other languages as ever when one fails",
    inWorkspace(async (workspace) => {
      const sound = await localise(workspace, 0);
      expectCosts(parseRun(await workspace.read("report", "@latest", "--json")));
      const failed = await localise(workspace, 1, "--var", "FAIL_LANGUAGE=french");
      expect(statusesOf(failed)).toEqual({
        ...statusesOf(sound),
        [instance("translate", "french")]: "failed",
        ...Object.fromEntries(["qa", "edit", "export"].map((phase) => [instance(phase, "french"), "skipped"])),
      });
      for (const language of ["spanish", "german"]) {
        expect(exportHash(failed, language)).toBe(exportHash(sound, language));
      }
      expect(exportHash(failed, "french")).toBeUndefined();
    }),
  );
});
