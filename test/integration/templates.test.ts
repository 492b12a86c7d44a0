import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type CompileOptions, compilePlanText, formatProblem } from "@fanfold/core";
import { addTemplate, findTemplate, listTemplates, removeTemplate } from "@fanfold/engine";
import type { Deployment } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();
const exec = promisify(execFile);

function template(version: string, text = `plan of ${version}`) {
  return { name: "mine", version, description: "", phaseCount: 1, text };
}

/** Runs a template to its end, and gives the status of its run with the outputs of its phases. */
async function runTemplate(deployment: Deployment, name: string, options: CompileOptions) {
  const { source } = await findTemplate(deployment.store, name);
  const result = compilePlanText(source, { ...options, strict: true });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  const { runId } = await deployment.engine.submit(result.plan);
  const { status } = await deployment.ended(runId);
  const phases = await deployment.store.runs.loadPhases(runId);
  const outputs = [...phases].map(([id, { artifacts }]) => [id, artifacts?.[0]?.inline] as const);
  return { status, phases, outputs: Object.fromEntries(outputs) };
}

describe("a template", () => {
  test(
    "keeps each version as it was added, and the one added last is the latest",
    withDeployment(async ({ store }) => {
      expect(await addTemplate(store, template("2"), 1)).toBe(true);
      expect(await addTemplate(store, template("1"), 1)).toBe(true);
      expect(await addTemplate(store, template("2"), 2)).toBe(false);
      await expect(addTemplate(store, template("2", "other"), 3)).rejects.toMatchObject({ code: "TEMPLATE_EXISTS" });
      expect((await findTemplate(store, "mine")).source).toEqual({ text: "plan of 1", file: "template mine@1" });
      expect((await findTemplate(store, "mine@2")).source.text).toBe("plan of 2");
      const versions = (await listTemplates(store)).filter(({ name }) => name === "mine");
      expect(versions.map(({ version, addedAtMs }) => [version, addedAtMs])).toEqual([
        ["1", 1],
        ["2", 1],
      ]);
      expect(await removeTemplate(store, "mine@1")).toEqual(["1"]);
      expect((await findTemplate(store, "mine")).version).toBe("2");
      expect(await removeTemplate(store, "mine")).toEqual(["2"]);
      await expect(findTemplate(store, "mine")).rejects.toMatchObject({ code: "UNKNOWN_TEMPLATE" });
    }),
  );

  test(
    "that is not there is named with the one that was probably meant",
    withDeployment(async ({ store }) => {
      await addTemplate(store, template("1"), 1);
      await expect(findTemplate(store, "mien")).rejects.toThrow('there is no template mien; did you mean "mine"?');
      await expect(findTemplate(store, "map_reduce")).rejects.toThrow('did you mean "map-reduce"?');
      await expect(findTemplate(store, "mine@3")).rejects.toThrow("template mine has no version 3; it has 1");
      await expect(removeTemplate(store, "mine@3")).rejects.toThrow("template mine has no version 3; it has 1");
    }),
  );

  test(
    "cannot have any name or size, nor that of a built-in one",
    withDeployment(async ({ store }) => {
      const add = (changes: object) => addTemplate(store, { ...template("1"), ...changes }, 1);
      await expect(add({ name: "a@b" })).rejects.toMatchObject({ code: "INVALID_TEMPLATE" });
      await expect(add({ version: "1 2" })).rejects.toMatchObject({ code: "INVALID_TEMPLATE" });
      await expect(add({ text: "x".repeat(1024 * 1024 + 1) })).rejects.toMatchObject({ code: "INVALID_TEMPLATE" });
      await expect(add({ name: "dev-test" })).rejects.toMatchObject({ code: "BUILT_IN_TEMPLATE" });
      await expect(removeTemplate(store, "dev-test")).rejects.toMatchObject({ code: "BUILT_IN_TEMPLATE" });
    }),
  );

  test(
    "that somebody changed in Redis is not used where plans are signed",
    withDeployment(
      async ({ store }) => {
        await addTemplate(store, template("1"), 1);
        expect((await findTemplate(store, "mine")).source.text).toBe("plan of 1");
        await store.redis.hset(store.keys.templateTexts, "mine@1", "another plan");
        await expect(findTemplate(store, "mine")).rejects.toMatchObject({ code: "TEMPLATE_NOT_TRUSTED" });
      },
      { signingKey: "a key that is long enough" },
    ),
  );
});

describe("the built-in template", () => {
  test(
    "plan-dev-test-verify hands the plan on, and closes up around what is excluded",
    withDeployment(async (deployment) => {
      const variables = {
        PLAN: "echo the plan",
        DEV: 'cat "$FANFOLD_ARTIFACTS/plan"; echo done',
        TEST: "echo tested",
        VERIFY: 'grep -c plan "$FANFOLD_ARTIFACTS/plan"',
      };
      const { status, outputs } = await runTemplate(deployment, "plan-dev-test-verify", { variables });
      expect(status).toBe("succeeded");
      expect(outputs).toEqual({ plan: "the plan\n", dev: "the plan\ndone\n", test: "tested\n", verify: "1\n" });
      const { TEST: _, ...rest } = variables;
      const contracted = await runTemplate(deployment, "plan-dev-test-verify", { variables: rest, exclude: ["test"] });
      expect(Object.keys(contracted.outputs).sort()).toEqual(["dev", "plan", "verify"]);
    }),
  );

  test(
    "dev-test develops, then tests, and develops again while the tests fail",
    withDeployment(async (deployment) => {
      const DEV = 'cat "${FANFOLD_SPAWN:-/dev/null}" >> why; echo x >> made';
      const TEST = `printf 'a "quoted" \\\\ word\\n'; test "$(wc -l < made)" -ge 3`;
      const { status, outputs } = await runTemplate(deployment, "dev-test", { variables: { DEV, TEST } });
      expect([status, outputs["test"]]).toEqual(["succeeded", 'a "quoted" \\ word\n']);
      expect(await readFile(join(deployment.dir, "why"), "utf8")).toContain(JSON.stringify('a "quoted" \\ word\n'));
      const failed = await runTemplate(deployment, "dev-test", { variables: { DEV, TEST: "false", ROUNDS: "1" } });
      expect(failed.status).toBe("failed");
    }),
  );

  test(
    "map-reduce runs a command for each item and one over all outputs",
    withDeployment(async (deployment) => {
      const variables = { LIST: "seq 3", MAP: 'echo "$((FANFOLD_ITEM * 10))"' };
      const { outputs } = await runTemplate(deployment, "map-reduce", { variables });
      expect(outputs["reduce"]).toBe("10\n20\n30\n");
      const REDUCE = 'tr "\\n" + < "$FANFOLD_ARTIFACTS/map"';
      expect(
        (await runTemplate(deployment, "map-reduce", { variables: { ...variables, REDUCE } })).outputs,
      ).toMatchObject({
        reduce: "10+20+30+",
      });
    }),
  );

  test(
    "safe-merge pushes a merge that its check likes, and takes back one it does not, or that has conflicts",
    withDeployment(async (deployment) => {
      const clone = await gitClone(deployment.dir);
      const merge = (BRANCH: string, CHECK: string) =>
        runTemplate(deployment, "safe-merge", { variables: { REPO: clone.dir, BRANCH, CHECK } });
      const before = await clone.git("rev-parse", "HEAD");
      expect((await merge("good", "exit 1")).status).toBe("failed");
      expect((await merge("bad", "true")).status).toBe("failed");
      expect(await clone.git("rev-parse", "HEAD")).toBe(before);
      expect(await clone.git("status", "--porcelain")).toBe("");
      const merged = await merge("good", "test -f new");
      expect(merged.status).toBe("succeeded");
      expect(await clone.git("ls-remote", "origin", "refs/heads/main")).toContain(
        String(merged.outputs["push"]).trim(),
      );
      expect((await merge("good", "true")).status).toBe("succeeded");
    }),
  );
});

/** A clone on `main`, whose remote has a branch `good` that can be merged and a branch `bad` that cannot. */
async function gitClone(root: string) {
  const dir = join(root, "clone");
  await mkdir(dir);
  const git = async (...args: string[]): Promise<string> => {
    const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"];
    return (await exec("git", [...identity, ...args], { cwd: dir })).stdout.trim();
  };
  const commit = async (file: string, text: string): Promise<void> => {
    await writeFile(join(dir, file), text);
    await git("add", ".");
    await git("commit", "-qm", file);
  };
  await git("init", "-q", "-b", "main");
  await git("init", "-q", "--bare", "-b", "main", "../remote");
  await git("remote", "add", "origin", "../remote");
  await commit("both", "one\n");
  await git("checkout", "-qb", "good");
  await commit("new", "new\n");
  await git("checkout", "-qb", "bad", "main");
  await commit("both", "theirs\n");
  await git("checkout", "-q", "main");
  await commit("both", "ours\n");
  await git("push", "-q", "origin", "main", "good", "bad");
  return { dir, git };
}
