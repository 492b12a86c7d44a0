import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CompiledPhase } from "@fanfold/schemas";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { matchesName } from "../../src/attempt/glob.ts";
import type { AttemptArtifact, AttemptOutcome } from "../../src/attempt/attempt-spec.ts";
import { AttemptFixture } from "./attempt-fixture.ts";

const NOTHING = { stdout_final: false, git_diff: false, files: [] };

let fixture = new AttemptFixture();
beforeEach(() => {
  fixture = new AttemptFixture();
});
afterEach(() => fixture.remove());

async function attempt(
  script: string,
  collect: Partial<NonNullable<CompiledPhase["collect"]>>,
): Promise<AttemptOutcome> {
  const { outcome } = await fixture.sh(script, { phase: { collect: { ...NOTHING, ...collect } } });
  return outcome;
}

function collectedOf(outcome: AttemptOutcome): readonly AttemptArtifact[] {
  if (outcome.status !== "succeeded") throw new Error(JSON.stringify(outcome));
  return outcome.collected;
}

/** Path → content of what was collected. */
function contents(outcome: AttemptOutcome): Record<string, string> {
  return Object.fromEntries(collectedOf(outcome).map(({ name, file }) => [name, readFileSync(file, "utf8")]));
}

function write(path: string, content = path): void {
  mkdirSync(dirname(join(fixture.planDir, path)), { recursive: true });
  fixture.write(path, content);
}

describe("stdout_final", () => {
  test.each([
    ["printf 'thinking\\n\\n{\"answer\":42}  \\n\\n \\n'", '{"answer":42}\n'],
    ["printf 'no newline'", "no newline\n"],
    ["printf '\\n \\n'", ""],
    ["true", ""],
    [
      `head -c 200000 /dev/zero | tr '\\0' x; printf '\\n'; head -c 100000 /dev/zero | tr '\\0' y`,
      `${"y".repeat(100_000)}\n`,
    ],
    ['echo ignored; printf whole > "$FANFOLD_OUTPUT"', "whole"],
  ])("takes the last line of %s", async (script, expected) => {
    const outcome = await attempt(script, { stdout_final: true });
    if (outcome.status !== "succeeded") throw new Error(JSON.stringify(outcome));
    const { output } = outcome;
    const bytes = "file" in output ? readFileSync(output.file) : output.bytes;
    expect(Buffer.from(bytes).toString()).toBe(expected);
  });
});

describe("files", () => {
  test("are those that match after the command has ended, by their path", async () => {
    for (const path of ["report.md", ".hidden.md", "out/a.json", "out/deep/b.json", "out/c.txt", ".git/d.json"])
      write(path);
    const outcome = await attempt("mkdir -p out/new && echo made > out/new/e.json", {
      files: ["*.md", "out/**/*.json", "missing/*", ".hidden.md"],
    });
    expect(contents(outcome)).toEqual({
      ".hidden.md": ".hidden.md",
      "out/a.json": "out/a.json",
      "out/deep/b.json": "out/deep/b.json",
      "out/new/e.json": "made\n",
      "report.md": "report.md",
    });
  });

  test("are all below a directory with ** at the end, and none where nothing matches", async () => {
    write("out/a", "");
    write("out/b/c");
    expect(contents(await attempt("true", { files: ["out/**"] }))).toEqual({ "out/a": "", "out/b/c": "out/b/c" });
    expect(contents(await attempt("true", { files: ["nowhere/**"] }))).toEqual({});
  });

  test("may be links inside the workspace, and never one that leads out", async () => {
    write("real.txt");
    symlinkSync("real.txt", join(fixture.planDir, "link.txt"));
    expect(contents(await attempt("true", { files: ["*.txt"] }))).toEqual({
      "real.txt": "real.txt",
      "link.txt": "real.txt",
    });
    writeFileSync(join(fixture.root, "outside.txt"), "secret");
    symlinkSync(join(fixture.root, "outside.txt"), join(fixture.planDir, "out.txt"));
    expect(await attempt("true", { files: ["*.txt"] })).toMatchObject({
      status: "failed",
      failure: { error_code: "PATH_OUTSIDE_WORKSPACE", why: expect.stringContaining('"out.txt"') },
    });
  });

  test("are not looked for behind a linked directory that leads out", async () => {
    mkdirSync(join(fixture.root, "elsewhere"));
    writeFileSync(join(fixture.root, "elsewhere/x.txt"), "secret");
    symlinkSync(join(fixture.root, "elsewhere"), join(fixture.planDir, "dir"));
    expect(contents(await attempt("true", { files: ["**/*.txt"] }))).toEqual({});
    expect(await attempt("true", { files: ["dir/x.txt"] })).toMatchObject({
      failure: { error_code: "PATH_OUTSIDE_WORKSPACE" },
    });
  });

  test("are at most 200", async () => {
    const outcome = await attempt("for i in $(seq 201); do : > f$i; done", { files: ["f*"] });
    expect(outcome).toMatchObject({
      failure: { error_code: "COLLECT_LIMIT", why: expect.stringContaining("more than 200 files") },
    });
  });

  test("that hold a secret fail the attempt", async () => {
    const { outcome } = await fixture.sh('printf "%s" "$KEY" > leak', {
      phase: { env: { KEY: "${secret:KEY}" }, collect: { ...NOTHING, files: ["leak"] } },
      spec: { secrets: { resolveSecret: () => Promise.resolve("hush-hush-42") } },
    });
    expect(outcome).toMatchObject({ failure: { error_code: "SECRET_IN_OUTPUT" } });
  });
});

describe("git_diff", () => {
  const git = (...args: string[]): void => {
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    execFileSync("git", [...identity, ...args], { cwd: fixture.planDir, stdio: "ignore" });
  };

  test("is what changed since the last commit, new files included, and leaves the index alone", async () => {
    git("init", "-q");
    write("kept.txt", "one\n");
    write("gone.txt", "gone\n");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    const outcome = await attempt("echo two >> kept.txt; rm gone.txt; echo fresh > fresh.txt", { git_diff: true });
    const diff = contents(outcome)["git_diff"] ?? "";
    for (const line of ["+two", "-gone", "+fresh", "new file mode", "deleted file mode"]) expect(diff).toContain(line);
    const status = execFileSync("git", ["status", "--porcelain"], { cwd: fixture.planDir }).toString();
    expect(status.split("\n").sort()).toEqual(["", " D gone.txt", " M kept.txt", "?? fresh.txt"]);
    expect(
      collectedOf(await attempt("true", { git_diff: true, files: ["fresh.txt"] })).map(({ name }) => name),
    ).toEqual(["fresh.txt", "git_diff"]);
  });

  test("works before the first commit, and tells where there is no repository", async () => {
    expect(await attempt("true", { git_diff: true })).toMatchObject({
      failure: { error_code: "COLLECT_FAILED", why: expect.stringContaining("not a git repository") },
    });
    git("init", "-q");
    expect(contents(await attempt("echo a > a.txt", { git_diff: true }))["git_diff"]).toContain("+a");
  });
});

describe("a pattern of a name", () => {
  test.each([
    ["*.json", "a.json", true],
    ["*.json", "a.jsonl", false],
    ["*", ".dot", false],
    [".*", ".dot", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["*a*b*", "xxaxxbxx", true],
    ["**x", "yx", true],
    [`${"*a".repeat(40)}b`, "a".repeat(200), false],
  ])("%s of %s", (pattern, name, matches) => expect(matchesName(pattern, name)).toBe(matches));
});
