import { RunEngine } from "@fanfold/engine";
import type { PlanInput } from "@fanfold/schemas";
import { duplicateConnection, FileArtifactStore, openStore, PlanSigner } from "@fanfold/store";
import { compile, type Deployment } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const withDeployment = useDeployments();

/** Nothing but a merge runs in it. */
const MERGE_ONLY: PlanInput = {
  plan_id: "merge-only",
  version: "1",
  phases: [
    {
      id: "a",
      command: "true",
      shard: { strategy: "chunk", over: [], chunk_size: 1 },
      merge: { strategy: "command", command: "true" },
    },
  ],
};
const PLAN = { plan_id: "signed", version: "1", phases: [{ id: "a", command: "true", retries: 2 }] };

/** Submits to a deployment as somebody with another key, or without one, does. */
async function submitAs({ store, dir }: Deployment, signingKey?: string, plan: PlanInput = PLAN): Promise<string> {
  const redis = duplicateConnection(store.redis);
  const signer = signingKey === undefined ? undefined : new PlanSigner(signingKey);
  const theirs = openStore(redis, new FileArtifactStore(dir), store.keys.prefix, signer);
  try {
    return (await new RunEngine(theirs).submit(compile(plan))).runId;
  } finally {
    await theirs.close();
  }
}

/** Why the attempts of a run failed. */
async function failuresOf(deployment: Deployment, runId: string): Promise<unknown[]> {
  const journal = await deployment.journal(runId);
  return journal.filter(({ event }) => event === "shard_failed").map(({ data }) => data.error_code);
}

test(
  "a rerun with another plan signs it, and vouches for nothing that was put into the stored one",
  withDeployment(
    async (deployment) => {
      const { engine, store } = deployment;
      const { run_id } = await deployment.run(PLAN);
      const changed = { ...PLAN, phases: [{ id: "a", command: "echo", args: ["again"] }] };
      const order = { phases: [], reach: "phase", plan: { compiled: compile(changed) } } as const;
      await engine.rerun(run_id, order, "test");
      expect((await deployment.ended(run_id)).status).toBe("succeeded");
      expect((await store.runs.loadPlan(run_id)).trust).toBe("signed");

      const stored = (await store.redis.get(store.keys.run(run_id).plan)) ?? "";
      await store.redis.set(store.keys.run(run_id).plan, stored.replace("again", "evil"));
      engine.forget(run_id);
      await expect(engine.rerun(run_id, order, "test")).rejects.toThrow(
        "is not what somebody with the deployment's key",
      );
    },
    { signingKey: KEY },
  ),
);

describe("a worker with a signing key", () => {
  test(
    "runs what was submitted with its key",
    withDeployment(
      async (deployment) => {
        expect((await deployment.run(PLAN)).status).toBe("succeeded");
      },
      { signingKey: `${KEY},an-older-key-of-theirs` },
    ),
  );

  test(
    "accepts an older key while keys are changed",
    withDeployment(
      async (deployment) => {
        const runId = await submitAs(deployment, "an-older-key-of-theirs");
        expect((await deployment.ended(runId)).status).toBe("succeeded");
      },
      { signingKey: `${KEY},an-older-key-of-theirs` },
    ),
  );

  test.each([
    ["without a key", undefined, "PLAN_UNSIGNED"],
    ["with another key", "another-key-of-somebody", "PLAN_ALTERED"],
  ])("refuses what was submitted %s, and does not try again", async (_how, key, code) => {
    const body = async (deployment: Deployment): Promise<void> => {
      const runId = await submitAs(deployment, key);
      expect((await deployment.ended(runId)).status).toBe("failed");
      expect(await failuresOf(deployment, runId)).toEqual([code]);
    };
    await withDeployment(body, { signingKey: KEY })();
  });

  test(
    "refuses a merge by a command of the plan, too",
    withDeployment(
      async (deployment) => {
        const runId = await submitAs(deployment, undefined, MERGE_ONLY);
        expect((await deployment.ended(runId)).status).toBe("failed");
        const failed = (await deployment.journal(runId)).find(({ event }) => event === "phase_failed");
        expect(JSON.stringify(failed?.data)).toContain("this worker runs signed plans only");
      },
      { signingKey: KEY },
    ),
  );

  test(
    "refuses a plan that was changed in Redis, and one signed for another run",
    withDeployment(
      async (deployment) => {
        const { redis, keys } = deployment.store;
        const [altered, moved] = ["altered", "moved"] as const;
        const first = await deployment.submit(PLAN);
        await deployment.ended(first);
        for (const runId of [altered, moved]) {
          await redis.copy(keys.run(first).plan, keys.run(runId).plan);
          await redis.copy(keys.run(first).run, keys.run(runId).run);
        }
        const text = (await redis.get(keys.run(first).plan)) ?? "";
        await redis.set(keys.run(altered).plan, text.replace('"true"', '"false"'));
        expect((await deployment.store.runs.loadPlan(first)).trust).toBe("signed");
        expect((await deployment.store.runs.loadPlan(altered)).trust).toBe("altered");
        expect((await deployment.store.runs.loadPlan(moved)).trust).toBe("altered");
      },
      { signingKey: KEY },
    ),
  );
});

test("a key that can be guessed is refused", () => {
  expect(() => new PlanSigner("secret")).toThrow("at least 16 characters");
  expect(() => new PlanSigner(`${KEY},short`)).toThrow("at least 16 characters");
});
