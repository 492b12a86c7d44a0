import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Most commands that ran at once, by the commands' own account. */
function mostAtOnce(account: string, phase = ""): number {
  let running = 0;
  let most = 0;
  for (const line of account.trim().split("\n")) {
    if (!line.includes(phase)) continue;
    running += line.startsWith("+") ? 1 : -1;
    most = Math.max(most, running);
  }
  return most;
}

/** Says when it starts and ends; the first ones wait for each other, so that the cap is filled on any machine. */
function work(total: number): string {
  const allHaveStarted = `until [ "$(grep -c '^+' account)" -ge ${total} ]; do sleep 0.01; done`;
  return `echo "+ $FANFOLD_PHASE" >> account; ${allHaveStarted}; sleep 0.02; echo "- $FANFOLD_PHASE" >> account; cat $FANFOLD_INPUT`;
}

function plan(total: number, globals: { max_concurrency?: number }, maxParallel?: number): PlanInput {
  const over = Array.from({ length: 30 }, (_, n) => n);
  const phase = (id: string) => ({
    id,
    command: work(total),
    shell: true,
    shard: { strategy: "chunk" as const, over, chunk_size: 1 },
    merge: { strategy: "concat" as const },
    ...(maxParallel === undefined ? {} : { max_parallel: maxParallel }),
  });
  return { plan_id: "caps", version: "1", globals, phases: [phase("one"), phase("two")] };
}

test.each([
  ["of the run", { max_concurrency: 3 }, undefined, 3, 3],
  ["of each phase", {}, 2, 4, 2],
  ["of both", { max_concurrency: 3 }, 2, 3, 2],
])("keeps the cap %s over all workers, and uses it", (_name, globals, maxParallel, total, each) =>
  withDeployment(
    async (deployment) => {
      const run = await deployment.run(plan(total, globals, maxParallel));
      expect(run.status).toBe("succeeded");
      const account = await readFile(join(deployment.dir, "account"), "utf8");
      expect(mostAtOnce(account)).toBe(total);
      expect(mostAtOnce(account, "one")).toBeLessThanOrEqual(each);
      expect(mostAtOnce(account, "two")).toBeLessThanOrEqual(each);
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      const inOrder = Array.from({ length: 30 }, (_, n) => `${n}\n`).join("");
      expect(phases.get("one")?.artifacts?.[0]?.inline).toBe(inOrder);
    },
    { workers: 3, concurrency: 4 },
  )(),
);

test(
  "a shard in backoff holds no slot",
  withDeployment(async (deployment) => {
    const run = await deployment.run({
      plan_id: "backoff",
      version: "1",
      globals: { max_concurrency: 1 },
      phases: [
        { id: "flaky", command: 'test "$FANFOLD_ATTEMPT" = 2', shell: true, retries: 1, retry_delay_sec: 0.3 },
        { id: "other", command: "true" },
      ],
    });
    expect(run.status).toBe("succeeded");
    const story = await deployment.story(run.run_id);
    expect(story.indexOf("phase_succeeded other")).toBeLessThan(story.indexOf("phase_succeeded flaky"));
  }),
);

test(
  "a shard whose worker dies while it gets in line for a slot asks again soon",
  withDeployment(async (deployment) => {
    const { ledger } = deployment.store;
    const claim = ledger.claim.bind(ledger);
    let deaths = 0;
    ledger.claim = (runId, claimant, waiting) => {
      if (waiting === undefined || deaths > 0) return claim(runId, claimant, waiting);
      deaths += 1;
      return Promise.reject(new Error("as good as dead"));
    };
    const go = join(deployment.dir, "go");
    const runId = await deployment.submit({
      plan_id: "in-line",
      version: "1",
      globals: { max_concurrency: 1 },
      phases: [
        { id: "flaky", command: 'test "$FANFOLD_ATTEMPT" = 2', shell: true, retries: 1, retry_delay_sec: 0.05 },
        { id: "other", command: `until [ -e '${go}' ]; do sleep 0.02; done`, shell: true },
      ],
    });
    await eventually(() => deaths === 1);
    await writeFile(go, "");
    expect((await deployment.ended(runId)).status).toBe("succeeded");
  }),
);

test(
  "a phase starts when its own dependencies are done, not when others are",
  withDeployment(async (deployment) => {
    const run = await deployment.run({
      plan_id: "no-barrier",
      version: "1",
      globals: { max_concurrency: 2 },
      phases: [
        { id: "slow", command: "sleep", args: ["0.5"] },
        { id: "a", command: "true" },
        { id: "b", command: "true", depends_on: ["a"] },
      ],
    });
    const story = await deployment.story(run.run_id);
    expect(story.indexOf("phase_succeeded b")).toBeLessThan(story.indexOf("phase_succeeded slow"));
  }),
);
