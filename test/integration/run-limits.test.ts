import { emptyRunView, reduceRun, summariseRun } from "@fanfold/core";
import type { PlanInput } from "@fanfold/schemas";
import { type Deployment, eventually } from "@fanfold/testkit";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

/** Shell text that reports a cost. */
function costs(usd: number): string {
  return `echo '{"type":"usage","cost_usd":${usd}}' >> $FANFOLD_EVENTS`;
}

function plan(phases: NonNullable<Extract<PlanInput, { phases: unknown }>["phases"]>, globals: object = {}): PlanInput {
  const shell = phases.map((phase) => ({ shell: true, ...phase }));
  return { plan_id: "limits", version: "1", globals: { kill_grace_sec: 0.1, ...globals }, phases: shell };
}

/** What the run's record and its report say it has cost. */
async function costsOf({ store }: Deployment, runId: string): Promise<{ record: number; report: unknown }> {
  let view = emptyRunView(runId);
  for await (const line of store.journal.readAll(runId)) view = reduceRun(view, line);
  return { record: await store.runs.findCost(runId), report: summariseRun(view, 0).cost_estimate_usd };
}

describe("the cost of a run", () => {
  test(
    "that a phase brings to the budget lets nothing start after it, and a retry gives the budget anew",
    withDeployment(async (deployment) => {
      const { run_id } = await deployment.run(
        plan(
          [
            { id: "a", command: costs(2) },
            { id: "b", command: costs(1.5), depends_on: ["a"] },
            { id: "c", command: "true", depends_on: ["b"] },
          ],
          { cost_budget_usd: 2 },
        ),
      );
      expect(await deployment.story(run_id)).toMatch(
        /phase_succeeded a, plan_aborted, phase_cancelled b, phase_cancelled c, run_failed$/,
      );
      await deployment.engine.retry(run_id, {}, "test");
      expect(await deployment.ended(run_id)).toMatchObject({ status: "succeeded", cost_usd: 3.5, budget_from_usd: 2 });
    }),
  );

  test(
    "that its last phase brings to the budget does not fail it",
    withDeployment(async (deployment) => {
      const run = await deployment.run(plan([{ id: "a", command: costs(2) }], { cost_budget_usd: 2 }));
      expect(run).toMatchObject({ status: "succeeded", cost_usd: 2, stop: null });
    }),
  );

  test(
    "counts what failed and killed attempts reported, in the record and in the report",
    withDeployment(async (deployment) => {
      const { run_id } = await deployment.run(
        plan(
          [
            { id: "fails", command: `${costs(0.25)}; exit 1`, retries: 1, retry_delay_sec: 0, on_failure: "continue" },
            { id: "killed", command: `${costs(0.5)}; sleep 60` },
          ],
          { timeout_sec: 0.7 },
        ),
      );
      expect(await costsOf(deployment, run_id)).toEqual({ record: 1, report: 1 });
    }),
  );

  test(
    "counts what an attempt reported whose retry a stop prevents",
    withDeployment(async (deployment) => {
      const runId = await deployment.submit(
        plan([
          { id: "held", command: `${costs(0.5)}; while ! test -e go; do sleep 0.02; done; exit 1`, retries: 3 },
          { id: "aborts", command: "while ! test -e abort; do sleep 0.02; done; exit 1" },
        ]),
      );
      await eventually(async () => (await deployment.story(runId)).includes("shard_started held"));
      await writeFile(join(deployment.dir, "abort"), "");
      await eventually(async () => (await deployment.story(runId)).includes("plan_aborted"));
      await writeFile(join(deployment.dir, "go"), "");
      await deployment.ended(runId);
      expect(await deployment.story(runId)).toContain("shard_cancelled held[0]");
      expect(await costsOf(deployment, runId)).toEqual({ record: 0.5, report: 0.5 });
    }),
  );
});

test(
  "a phase that a stop cuts short has not failed by the failures it tolerates",
  withDeployment(async (deployment) => {
    const fan = {
      id: "fan",
      command: "grep -q 1 $FANFOLD_INPUT && exit 1; sleep 60",
      shard: { strategy: "chunk" as const, over: [1, 2], chunk_size: 1 },
      merge: { strategy: "concat" as const },
      max_failed_shards: 1,
    };
    const run = await deployment.run(plan([fan], { timeout_sec: 0.7 }));
    expect(run.status).toBe("failed");
    const phases = await deployment.store.runs.loadPhases(run.run_id);
    expect(phases.get("fan")).toMatchObject({ status: "cancelled", cause: { code: "run_timeout" } });
  }),
);

test(
  "the time of a run counts again from a retry",
  withDeployment(async (deployment) => {
    const { run_id } = await deployment.run(plan([{ id: "slow", command: "sleep 60" }], { timeout_sec: 0.4 }));
    const first = (await deployment.store.runs.get(run_id)).timeout_at_ms ?? 0;
    await deployment.engine.retry(run_id, {}, "test");
    const run = await deployment.ended(run_id);
    expect(run).toMatchObject({ status: "failed", stop: "timeout" });
    expect(run.timeout_at_ms).toBeGreaterThan(first);
    expect((await deployment.story(run_id)).match(/plan_aborted/g)).toHaveLength(2);
  }),
);
