import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { JournalLine } from "@fanfold/schemas";
import { connectRedis, FileArtifactStore, openStore } from "@fanfold/store";
import type { CliExit } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { inDeployment, inWorkspace, type Workspace } from "./site.ts";

const BRANCH = "feature/tea/green";
const STEPS = [
  "environment-scan",
  "sync-health",
  "nested-detect",
  "nested-normalize",
  "classify-files",
  "fetch",
  "merge",
  "resolve-timestamps",
  "resolve-conflicts",
  "push",
  "success-event",
];
/** A machine without any settings of git, where nothing may ask back. */
const BARE_MACHINE = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
};
const IDENTITY = ["-c", "user.name=Author", "-c", "user.email=author@localhost"];
const EVENTS = ".git/safe-merge-events.jsonl";

/** A bare repository with two branches, and a clone of it for the plan. */
class Repositories {
  readonly bare: string;
  readonly clone: string;
  readonly #workspace: Workspace;
  readonly #author: string;

  private constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.bare = join(workspace.dir, "origin.git");
    this.clone = join(workspace.dir, "clone of it");
    this.#author = join(workspace.dir, "author");
  }

  /** @param sides what main and the branch make of `menu.txt`, and the branch of a file of its own */
  static async create(workspace: Workspace, sides: { main?: string; branch?: string } = {}): Promise<Repositories> {
    const made = new Repositories(workspace);
    await workspace.copyExample("safe-merge");
    await made.#git(workspace.dir, "init", "-q", "--bare", "-b", "main", made.bare);
    await made.#git(workspace.dir, "clone", "-q", made.bare, made.#author);
    await made.commit("main", { "menu.txt": "black\n", "seen.txt": "at 2020-01-01T00:00:00Z\n" });
    await made.commit(BRANCH, { "tea.txt": "green\n", ...(sides.branch && { "menu.txt": sides.branch }) });
    if (sides.main) await made.commit("main", { "menu.txt": sides.main });
    await made.#git(workspace.dir, "clone", "-q", made.bare, made.clone);
    return made;
  }

  /** Commits files to a branch of the bare repository, as somebody else. */
  async commit(branch: string, files: Readonly<Record<string, string>>): Promise<void> {
    const git = (...args: string[]): Promise<string> => this.#git(this.#author, ...IDENTITY, ...args);
    const isThere = (await git("branch", "--list", branch)) !== "";
    await git("checkout", "-q", ...(isThere ? [branch] : ["-b", branch]));
    for (const [file, text] of Object.entries(files)) await writeFile(join(this.#author, file), text);
    await git("add", "--all");
    await git("commit", "-q", "-m", `work on ${branch}`);
    await git("push", "-q", "origin", branch);
  }

  inBare(...args: string[]): Promise<string> {
    return this.#git(this.bare, ...args);
  }

  inClone(...args: string[]): Promise<string> {
    return this.#git(this.clone, ...args);
  }

  /** Runs the plan on a machine without settings of git. */
  merge(): Promise<CliExit> {
    const variables = ["--var", `REPO=${this.clone}`, "--var", `BRANCH=${BRANCH}`];
    return this.#workspace.with(BARE_MACHINE).run("run", "examples/safe-merge/plan.json", ...variables);
  }

  /** Has the bare repository refuse every push, once `closed` is there. @returns the hook that does it */
  async refusePushes(): Promise<string> {
    const hook = join(this.bare, "hooks/pre-receive");
    const wait = `while [ ! -e "${this.bare}/closed" ]; do sleep 0.02; done`;
    const script = `#!/bin/sh\necho yes > "${this.bare}/pushing"\n${wait}\necho closed for today >&2\nexit 1\n`;
    await mkdir(dirname(hook), { recursive: true });
    await writeFile(hook, script, { mode: 0o755 });
    return hook;
  }

  /** How each step of the last run ended. */
  async steps(): Promise<Record<string, string>> {
    const { phases } = await this.#workspace.status();
    return Object.fromEntries(phases.map(({ phase, status }) => [phase, status]));
  }

  /** What the success event told, all runs together. */
  async events(): Promise<unknown[]> {
    const text = await readFile(join(this.clone, EVENTS), "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  async #git(dir: string, ...args: string[]): Promise<string> {
    const env = { PATH: process.env["PATH"], ...BARE_MACHINE };
    const { stdout } = await promisify(execFile)("git", args, { cwd: dir, env });
    return stdout.trim();
  }
}

/** A status for every step: `succeeded` but where `others` says otherwise. */
function allSucceededBut(others: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ...Object.fromEntries(STEPS.map((step) => [step, "succeeded"])), ...others };
}

/** Steps that started, in the order in which they did. */
function startedSteps(journal: readonly JournalLine[]): unknown[] {
  return journal.filter(({ event }) => event === "phase_started").map(({ phase }) => phase);
}

/** Locks that are held, whoever holds them. */
async function listLocks(redisUrl: string): Promise<string[]> {
  const store = openStore(await connectRedis({ url: redisUrl }), new FileArtifactStore("."));
  try {
    return await store.locks.listHeld();
  } finally {
    await store.close();
  }
}

function parentsOf(commit: string): string[] {
  return [...commit.matchAll(/^parent (\w+)$/gm)].map(([, parent = ""]) => parent);
}

describe("the guarded merge", () => {
  test.concurrent(
    "pushes a clean merge as one commit with two parents; once more there is nothing to do",
    inWorkspace(async (workspace) => {
      const repositories = await Repositories.create(workspace);
      const parents = [await repositories.inBare("rev-parse", "main"), await repositories.inBare("rev-parse", BRANCH)];
      expect((await repositories.merge()).code).toBe(0);
      expect(await repositories.steps()).toEqual(allSucceededBut());
      expect(startedSteps(await workspace.journal())).toEqual(STEPS);
      const pushed = await repositories.inBare("rev-parse", "main");
      const commit = await repositories.inBare("cat-file", "commit", pushed);
      expect(parentsOf(commit)).toEqual(parents);
      expect(commit).toMatch(/^author Safe Merge <safe-merge@localhost> /m);
      expect(await repositories.inBare("show", "main:tea.txt")).toBe("green");
      expect(await repositories.inClone("rev-parse", "HEAD")).toBe(pushed);
      expect(await repositories.events()).toMatchObject([{ commit: pushed, previous: parents[0], branch: BRANCH }]);

      expect((await repositories.merge()).code).toBe(0);
      expect(await repositories.steps()).toEqual(allSucceededBut());
      expect(await workspace.read("logs", "@latest", "--phase", "merge")).toContain("nothing to merge");
      expect(await workspace.read("logs", "@latest", "--phase", "push")).toContain("up to date");
      expect(await repositories.inBare("rev-parse", "main")).toBe(pushed);
      expect(await repositories.inClone("rev-parse", "HEAD")).toBe(pushed);
      expect(await repositories.events()).toHaveLength(1);
    }),
  );

  test.concurrent(
    "tolerates a conflict, refuses to resolve it, takes it back, and pushes nothing; settled, it goes through",
    inDeployment(async (deployment) => {
      const workspace = await deployment.workspace("project");
      const repositories = await Repositories.create(workspace, { main: "assam\n", branch: "sencha\n" });
      const before = await repositories.inBare("rev-parse", "main");
      const { code, stdout } = await repositories.merge();
      expect(code).toBe(1);
      expect(stdout).toContain("disagree in menu.txt; the merge is taken back");
      const failed = { merge: "failed", "resolve-conflicts": "failed" };
      const cancelled = { push: "cancelled", "success-event": "cancelled" };
      expect(await repositories.steps()).toEqual(allSucceededBut({ ...failed, ...cancelled }));
      const journal = await workspace.journal();
      expect(startedSteps(journal)).toEqual(STEPS.slice(0, STEPS.indexOf("push")));
      expect(journal.at(-1)?.event).toBe("run_failed");
      expect(await listLocks(deployment.redis.url)).toEqual([]);
      expect(await repositories.inBare("rev-parse", "main")).toBe(before);
      expect(await repositories.events()).toEqual([]);
      expect(await repositories.inClone("rev-parse", "HEAD")).toBe(before);
      expect(await repositories.inClone("status", "--porcelain")).toBe("");
      await expect(repositories.inClone("rev-parse", "--verify", "MERGE_HEAD")).rejects.toThrow(
        "Needed a single revision",
      );

      await repositories.commit(BRANCH, { "menu.txt": "black\n" });
      expect((await repositories.merge()).code).toBe(0);
      expect(await repositories.inBare("show", "main:menu.txt")).toBe("assam");
    }),
  );

  test.concurrent(
    "stops at the first step when the tree is not clean, and leaves it as it is",
    inWorkspace(async (workspace) => {
      const repositories = await Repositories.create(workspace);
      const before = await repositories.inBare("rev-parse", "main");
      await writeFile(join(repositories.clone, "menu.txt"), "half a thought");
      const { code, stdout } = await repositories.merge();
      expect(code).toBe(1);
      expect(stdout).toContain("the tree is not clean:  M menu.txt");
      expect(startedSteps(await workspace.journal())).toEqual(STEPS.slice(0, 1));
      expect(await repositories.inBare("rev-parse", "main")).toBe(before);
      expect(await repositories.inClone("rev-parse", "HEAD")).toBe(before);
      expect(await readFile(join(repositories.clone, "menu.txt"), "utf8")).toBe("half a thought");
    }),
  );

  test.concurrent(
    "takes the newer of two timestamps, and leaves a nested repository out",
    inWorkspace(async (workspace) => {
      const repositories = await Repositories.create(workspace);
      await repositories.commit(BRANCH, { "seen.txt": "at 2024-05-06T00:00:00Z\n" });
      await repositories.commit("main", { "seen.txt": "at 2023-01-01T00:00:00Z\n" });
      await repositories.inClone("pull", "-q", "--ff-only");
      await repositories.inClone("init", "-q", "nested one");
      const { code, stdout } = await repositories.merge();
      expect(code).toBe(0);
      expect(stdout).toMatch(/tolerated/);
      expect(await workspace.read("logs", "@latest", "--phase", "nested-detect")).toContain("loose nested one/");
      expect(await repositories.steps()).toEqual(allSucceededBut({ merge: "failed" }));
      expect(parentsOf(await repositories.inBare("cat-file", "commit", "main"))).toHaveLength(2);
      expect(await repositories.inBare("show", "main:seen.txt")).toBe("at 2024-05-06T00:00:00Z");
      expect(await repositories.inBare("ls-tree", "--name-only", "main")).toBe("menu.txt\nseen.txt\ntea.txt");
      expect(await repositories.inClone("status", "--porcelain")).toBe("");
    }),
  );

  test.concurrent(
    "tries a push twice under the lock, gives it back when both fail, and pushes with the next run",
    inDeployment(async (deployment) => {
      const workspace = await deployment.workspace("project");
      const repositories = await Repositories.create(workspace);
      const before = await repositories.inBare("rev-parse", "main");
      const hook = await repositories.refusePushes();
      const run = repositories.merge();
      await workspace.waitForFile("origin.git/pushing");
      expect(await listLocks(deployment.redis.url)).toEqual(["safe-merge-push"]);
      await workspace.write("origin.git/closed", "");
      const { code, stdout } = await run;
      expect(code).toBe(1);
      expect(stdout).toContain("closed for today");
      expect(await listLocks(deployment.redis.url)).toEqual([]);
      const journal = await workspace.journal();
      const isPushStart = ({ phase, event }: JournalLine): boolean => phase === "push" && event === "shard_started";
      expect(journal.filter(isPushStart)).toHaveLength(2);
      expect(await repositories.inBare("rev-parse", "main")).toBe(before);
      expect(await repositories.events()).toEqual([]);

      await rm(hook);
      expect((await repositories.merge()).code).toBe(0);
      expect(await repositories.inBare("rev-parse", "main")).toBe(await repositories.inClone("rev-parse", "HEAD"));
      expect(await repositories.events()).toHaveLength(1);
    }),
  );
});
