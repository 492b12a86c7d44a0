import { eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const over = Array.from({ length: 10 }, (_, n) => ({ n }));

/** Ten shards, of which those with these numbers fail. */
function fan(failing: string) {
  return {
    id: "fan",
    command: `! grep -qE '"n":(${failing})}' $FANFOLD_INPUT && cat $FANFOLD_INPUT`,
    shell: true,
    shard: { strategy: "chunk" as const, over, chunk_size: 1 },
    merge: { strategy: "records" as const, key: "n" },
  };
}

describe("failed shards", () => {
  test(
    "within the tolerance are left out of the merge, and the phase says so",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "tolerant",
        version: "1",
        phases: [
          { ...fan("3|7"), max_failed_shards: "20%" },
          { id: "next", command: "true", depends_on: ["fan"] },
        ],
      });
      expect(run.status).toBe("succeeded");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("fan")?.artifacts?.[0]?.inline?.trim().split("\n")).toHaveLength(8);
      const journal = await deployment.journal(run.run_id);
      expect(
        journal.find(({ event, phase }) => event === "phase_succeeded" && phase === "fan")?.data.tolerated_shards,
      ).toBe(2);
    }),
  );

  test(
    "beyond the tolerance fail the phase",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "intolerant",
        version: "1",
        phases: [{ ...fan("1|3|7"), max_failed_shards: 2, on_failure: "skip_dependents" }],
      });
      expect(run.status).toBe("failed");
    }),
  );

  test(
    "in a row trip the breaker: no more shards are released, and a retry goes on with all of them",
    withDeployment(
      async (deployment) => {
        const phase = {
          ...fan("2|3"),
          max_parallel: 1,
          max_consecutive_failures: 2,
          on_failure: "skip_dependents" as const,
        };
        const run = await deployment.run({ plan_id: "breaker", version: "1", phases: [phase] });
        expect(run.status).toBe("failed");
        const phases = await deployment.store.runs.loadPhases(run.run_id);
        expect(phases.get("fan")?.cause?.code).toBe("circuit_open");
        expect(await deployment.store.ledger.findPhase(run.run_id, "fan")).toMatchObject({
          next: 4,
          failed: 2,
          tripped: 1,
        });
        await deployment.engine.retry(run.run_id, { phase: "fan", shard: 2 }, "test");
        await eventually(async () => {
          const counts = await deployment.store.ledger.findPhase(run.run_id, "fan");
          return counts?.next === 10 && counts.in_flight === 0;
        });
      },
      { concurrency: 1 },
    ),
  );
});

describe("retries", () => {
  test.each([
    ["are kept from exit codes that make no sense to retry", { non_retryable_exit_codes: [7] }, "exit 7", 1],
    ["are kept for the exit codes that are named", { retry_on_exit_codes: [7] }, "exit 8", 1],
    ["are made for the exit codes that are named", { retry_on_exit_codes: [7] }, "exit 7", 3],
    ["are kept from timeouts when the phase says so", { retry_on_timeout: false, timeout_sec: 0.1 }, "sleep 9", 1],
  ])("%s", (_name, fields, command, attempts) =>
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "codes",
        version: "1",
        phases: [{ id: "a", command, shell: true, retries: 2, retry_delay_sec: 0, ...fields }],
      });
      const journal = await deployment.journal(run.run_id);
      expect(journal.filter(({ event }) => event === "shard_started")).toHaveLength(attempts);
    })(),
  );
});

describe("a condition", () => {
  test(
    "decides on results and variables; a false one skips the phase and what needs it",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "conditions",
        version: "1",
        variables: { MODE: { default: "full" } },
        phases: [
          { id: "plan", command: "echo", args: ['{"count": 3}'] },
          {
            id: "many",
            command: "true",
            depends_on: ["plan"],
            condition: "outputs.plan.count > 2 && vars.MODE == 'full'",
          },
          { id: "none", command: "true", depends_on: ["plan"], condition: "outputs.plan.count == 0" },
          { id: "after-none", command: "true", depends_on: ["none"] },
          { id: "always", command: "true", depends_on: [{ phase: "none", when: "always" }] },
        ],
      });
      expect(run.status).toBe("succeeded");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(Object.fromEntries([...phases].map(([id, { status }]) => [id, status]))).toEqual({
        plan: "succeeded",
        many: "succeeded",
        none: "skipped",
        "after-none": "skipped",
        always: "succeeded",
      });
    }),
  );

  test(
    "that cannot be evaluated fails the phase with the reason",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "bad-condition",
        version: "1",
        phases: [
          { id: "plan", command: "echo", args: ["{}"] },
          { id: "next", command: "true", depends_on: ["plan"], condition: "outputs.plan.count > 2" },
        ],
      });
      expect(run.status).toBe("failed");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("next")).toMatchObject({ status: "failed", cause: { code: "condition_failed" } });
    }),
  );
});

describe("what takes no part", () => {
  test(
    "blocks what cannot do without it, naming all that is missing, and nothing of that starts",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "blocked",
        version: "1",
        phases: [
          { id: "one", command: "true", enabled: false },
          { id: "two", command: "true", enabled: false },
          { id: "needs", command: "true", depends_on: ["one", "two"] },
          { id: "free", command: "true" },
        ],
      });
      expect(run.status).toBe("failed");
      const journal = await deployment.journal(run.run_id);
      expect(journal.find(({ event }) => event === "phase_blocked")).toMatchObject({
        phase: "needs",
        data: { missing: ["one", "two"] },
      });
      const story = await deployment.story(run.run_id);
      expect(story).not.toContain("phase_started needs");
      expect(story).toContain("phase_succeeded free");
    }),
  );
});

describe("a run", () => {
  test(
    "that takes too long is ended, with everything it runs",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "run-timeout",
        version: "1",
        globals: { timeout_sec: 0.4, kill_grace_sec: 0.1 },
        phases: [
          { id: "slow", command: "sleep", args: ["60"] },
          { id: "next", command: "true", depends_on: ["slow"] },
        ],
      });
      expect(run).toMatchObject({ status: "failed", stop: "timeout" });
      const last = (await deployment.journal(run.run_id)).at(-1);
      expect(last).toMatchObject({ event: "run_failed", data: { cause: "run_timeout" } });
    }),
  );

  test(
    "that has cost its budget starts nothing more and says so",
    withDeployment(
      async (deployment) => {
        const run = await deployment.run({
          plan_id: "budget",
          version: "1",
          globals: { cost_budget_usd: 1, prices: { m: { prompt_per_1k_usd: 0.4 } } },
          phases: [
            {
              id: "fan",
              command: `echo '{"type":"usage","model":"m","prompt_tokens":1000,"completion_tokens":0}' >> $FANFOLD_EVENTS; cat $FANFOLD_INPUT`,
              shell: true,
              shard: { strategy: "chunk", over, chunk_size: 1 },
              merge: { strategy: "records" },
              max_parallel: 1,
            },
          ],
        });
        expect(run).toMatchObject({ status: "failed", stop: "budget" });
        const journal = await deployment.journal(run.run_id);
        const costs = journal.filter(({ event }) => event === "shard_succeeded").map(({ data }) => data.usage);
        expect(costs.length).toBeGreaterThanOrEqual(3);
        expect(costs.length).toBeLessThan(6);
        expect(costs[0]).toMatchObject({ prompt_tokens: 1000, cost_usd: 0.4 });
        expect(journal.find(({ event }) => event === "plan_aborted")?.data.why).toContain("budget");
        expect(journal.at(-1)?.data.cause).toBe("budget_spent");
      },
      { concurrency: 1 },
    ),
  );

  test(
    "tells of the progress its attempts report",
    withDeployment(async (deployment) => {
      const report = (completed: number) =>
        `echo '{"type":"progress","metric_key":"pages","unit":"page","completed":${completed},"total":4}' >> $FANFOLD_EVENTS`;
      const run = await deployment.run({
        plan_id: "progress",
        version: "1",
        phases: [{ id: "read", command: `${report(1)}; sleep 0.3; ${report(4)}`, shell: true }],
      });
      const journal = await deployment.journal(run.run_id);
      expect(journal.find(({ event }) => event === "phase_progress")?.data.metrics).toEqual([
        { metric_key: "pages", unit: "page", completed: 4, total: 4, total_status: "locked" },
      ]);
    }),
  );

  test(
    "of a matrix keeps its instances apart: the failure of one never touches another",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "matrix",
        version: "1",
        phases: [
          {
            id: "translate",
            command: 'test "$FANFOLD_MATRIX_LANGUAGE" != fr && echo ${matrix.language}',
            shell: true,
            matrix: { language: ["fr", "ja"] },
            on_failure: "skip_dependents",
          },
          { id: "edit", command: "true", matrix: { language: ["fr", "ja"] }, depends_on: ["translate"] },
          { id: "join", command: "true", depends_on: [{ phase: "edit", when: "always" }] },
        ],
      });
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(Object.fromEntries([...phases].map(([id, { status }]) => [id, status]))).toEqual({
        "translate[language=fr]": "failed",
        "translate[language=ja]": "succeeded",
        "edit[language=fr]": "skipped",
        "edit[language=ja]": "succeeded",
        join: "succeeded",
      });
      expect(await deployment.engine.retry(run.run_id, { phase: "translate" }, "test")).toEqual([
        "translate[language=fr]",
      ]);
      expect((await deployment.ended(run.run_id)).status).toBe("failed");
    }),
  );
});

describe("a lock", () => {
  const guarded = (id: string) => ({
    plan_id: id,
    version: "1",
    phases: [{ id: "push", command: "echo + >> account; sleep 0.2; echo - >> account", shell: true, lock: "push" }],
  });

  test(
    "is held by one phase at a time, over all runs, in the order they asked",
    withDeployment(async (deployment) => {
      const runs = await Promise.all(["a", "b", "c"].map((id) => deployment.submit(guarded(id))));
      for (const runId of runs) expect((await deployment.ended(runId)).status).toBe("succeeded");
      const { readFile } = await import("node:fs/promises");
      expect(await readFile(`${deployment.dir}/account`, "utf8")).toBe("+\n-\n+\n-\n+\n-\n");
      // it is given back right after the decision that ended its phase
      await eventually(async () => (await deployment.store.locks.listHeld()).length === 0);
    }),
  );

  test(
    "that is not free in time fails the phase and names the holder",
    withDeployment(async (deployment) => {
      const holder = await deployment.submit({
        plan_id: "holder",
        version: "1",
        globals: { kill_grace_sec: 0.1 },
        phases: [{ id: "long", command: "sleep", args: ["60"], lock: "push" }],
      });
      await eventually(async () => (await deployment.story(holder)).includes("shard_started"));
      const plan = guarded("late");
      const run = await deployment.run({
        ...plan,
        phases: plan.phases.map((phase) => ({ ...phase, lock: { name: "push", timeout_sec: 0.2 } })),
      });
      expect(run.status).toBe("failed");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("push")?.cause?.message).toContain(`phase long of ${holder}`);
      await deployment.engine.cancel(holder, "test");
      await deployment.ended(holder);
      // it is given back right after the decision that ended its phase
      await eventually(async () => (await deployment.store.locks.listHeld()).length === 0);
    }),
  );
});
