import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compilePlanValue } from "@fanfold/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashCode } from "../src/reuse/code-of-plan.ts";
import { HashedFiles } from "../src/reuse/hashed-files.ts";

let root = "";
let dir = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fanfold-code-"));
  dir = join(root, "workspace");
  await mkdir(dir);
});

afterEach(() => rm(root, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(dir, name)), { recursive: true });
  await writeFile(join(dir, name), text);
}

async function hashed(
  phase: object,
  { workspaceDir = dir, baseDir = "." }: { workspaceDir?: string | null; baseDir?: string } = {},
) {
  const result = compilePlanValue(
    { plan_id: "p", version: "1", phases: [{ id: "a", cache: true, ...phase }] },
    { baseDir },
  );
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  const { plan, warnings } = await hashCode(result.plan, workspaceDir ?? undefined);
  return { code: plan.phases[0]?.reuse?.code, warnings };
}

async function filesOf(phase: object, options?: Parameters<typeof hashed>[1]): Promise<string[]> {
  return Object.keys((await hashed(phase, options)).code ?? {});
}

describe("the files of a phase's work", () => {
  test("are a handler and all it imports by relative paths, each once", async () => {
    await write(
      "h/main.mjs",
      'import a from "./a.mjs"; import "fs"; import "pkg"; export * from "../shared/c.js"; await import("./d.mjs");',
    );
    await write("h/a.mjs", 'import "./main.mjs"; import data from "./data.json" with { type: "json" };');
    await write("h/data.json", "{}");
    await write("h/d.mjs", "// import './not.mjs'\n");
    await write("h/not.mjs", "");
    await write("shared/c.js", 'const e = require("./e"); require("pkg");');
    await write("shared/e.cjs", "");
    expect(await filesOf({ handler: "./h/main.mjs" })).toEqual([
      "h/a.mjs",
      "h/d.mjs",
      "h/data.json",
      "h/main.mjs",
      "shared/c.js",
      "shared/e.cjs",
    ]);
  });

  test("are those that command, arguments and variables name, relative to cwd, inside of the workspace", async () => {
    await write("plan/sub/run.sh", "");
    await write("plan/sub/tool.mjs", 'import "./lib.mjs";');
    await write("plan/sub/lib.mjs", "");
    await write("plan/sub/data.txt", "");
    await mkdir(join(dir, "plan/sub/directory"));
    await writeFile(join(root, "outside.txt"), "");
    await symlink(join(root, "outside.txt"), join(dir, "plan/sub/link.txt"));
    const phase = {
      command: "./run.sh",
      args: [
        "tool.mjs",
        "--flag",
        "directory",
        "link.txt",
        "../../../outside.txt",
        "/etc/passwd",
        "x".repeat(5000),
        "",
      ],
      cwd: "sub",
      env: { DATA: "data.txt", NONE: "none.txt" },
    };
    expect(await filesOf(phase, { baseDir: "plan" })).toEqual([
      "sub/data.txt",
      "sub/lib.mjs",
      "sub/run.sh",
      "sub/tool.mjs",
    ]);
    const shell = { command: "cat 'a.txt' | ./b.sh > out && X=c.txt", shell: true };
    for (const name of ["a.txt", "b.sh", "c.txt"]) await write(name, "");
    expect(await filesOf(shell)).toEqual(["a.txt", "b.sh", "c.txt"]);
  });

  test("have the hashes of their content, as it is now", async () => {
    await write("a.sh", "one");
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    expect((await hashed({ command: "sh", args: ["a.sh"] })).code).toEqual({ "a.sh": sha256("one") });
    const files = new HashedFiles();
    expect(await files.hash(join(dir, "a.sh"))).toBe(sha256("one"));
    await write("a.sh", "two");
    expect(await files.hash(join(dir, "a.sh"))).toBe(sha256("two"));
    expect(await files.hash(join(dir, "nothing"))).toBeUndefined();
    expect(await files.hash(dir)).toBeUndefined();
  });

  test("are not looked at where a version is declared, and missed where they are not to be had", async () => {
    await write("a.sh", "one");
    const versioned = await hashed({ command: "./a.sh", cache: { version: "1" } }, { workspaceDir: null });
    expect(versioned).toEqual({ code: null, warnings: [] });
    const elsewhere = await hashed({ command: "./a.sh" }, { workspaceDir: null });
    expect(elsewhere.code).toBeNull();
    expect(elsewhere.warnings).toEqual([
      "outputs of phase a are not reused: the files of its work are not known where the plan was submitted; declare cache: { version: … }",
    ]);
    const missing = await hashed({ handler: "gone.mjs" });
    expect(missing.code).toBeNull();
    expect(missing.warnings[0]).toContain("its handler gone.mjs is not in the plan's directory here");
    expect((await hashed({ command: "true", cache: false }, { workspaceDir: null })).warnings).toEqual([]);
  });
});
