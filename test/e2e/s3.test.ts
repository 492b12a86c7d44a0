import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunDocument } from "@fanfold/core";
import { startFauxqs } from "fauxqs";
import { describe, expect, test } from "vitest";
import { inDeployment, parseRun, type Workspace } from "./site.ts";

const PLAN = "examples/localise/plan.yaml";

/** Phase and artifact → sha256, of all that a run has made. */
function hashesOf({ phases }: RunDocument): Record<string, string> {
  return Object.fromEntries(
    phases.flatMap(({ phase, artifacts }) => artifacts.map(({ name, sha256: hash }) => [`${phase} ${name}`, hash])),
  );
}

/** The example with a script too long for its outputs to stay in Redis. */
async function copyLongStory(workspace: Workspace): Promise<void> {
  await workspace.copyExample("localise");
  const script = "examples/localise/script.txt";
  const text = await readFile(join(workspace.dir, script), "utf8");
  await workspace.write(script, text.repeat(3));
}

describe("an artifact store behind S3", () => {
  test(
    "is all that workers share beside Redis, and gives the same bytes as a directory",
    inDeployment(async (deployment, { onTestFinished }) => {
      const server = await startFauxqs({ port: 0, logger: false });
      onTestFinished(() => server.stop());
      server.createBucket("builds");
      const env = {
        FANFOLD_ARTIFACTS: "s3://builds/team/fanfold",
        FANFOLD_S3_ENDPOINT: server.address,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
      };
      const desk = deployment.desk.with(env);
      const [one, two] = [await deployment.workspace("one"), await deployment.workspace("two")];
      for (const workspace of [desk, one, two]) await copyLongStory(workspace);
      const scheduler = desk.start("scheduler");
      await scheduler.printed(/scheduler ready/);
      await deployment.startWorker(one.with(env), { concurrency: 2 });
      await deployment.startWorker(two.with(env), { concurrency: 2 });
      const shared = parseRun(await desk.read("submit", PLAN, "--wait", "--json"));
      expect(new Set((await desk.journal()).flatMap(({ data }) => data.worker ?? []))).toEqual(new Set(["one", "two"]));
      for (const { dir } of [desk, one, two]) expect(existsSync(join(dir, ".fanfold/artifacts"))).toBe(false);

      const local = await deployment.workspace("local");
      await copyLongStory(local);
      const alone = parseRun(await local.with({ REDIS_URL: "" }).read("run", PLAN, "--json"));
      expect(hashesOf(shared)).toEqual(hashesOf(alone));
      expect(Object.keys(hashesOf(shared)).length).toBeGreaterThan(10);

      const lost = await desk.with({ FANFOLD_ARTIFACTS: "s3://nowhere" }).run("worker");
      expect([lost.code, lost.stderr]).toEqual([
        3,
        expect.stringMatching(/^fanfold: .*there is no bucket nowhere at http/m),
      ]);
      expect(lost.stderr).not.toMatch(/^ +at /m);

      const collected = await desk.read("gc", "--grace-min", "0", "--keep-runs", "0", "--json");
      expect(JSON.parse(collected)).toMatchObject({ runs: [shared.run_id], shared_with: [] });
      // the lines of the story and what is made of them, in three languages, but for what is short
      expect(JSON.parse(collected).files).toBeGreaterThan(5);
    }),
  );
});
