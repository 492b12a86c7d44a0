import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const ITEMS = [0, 1, 2, 3, 4];

describe("a failure", () => {
  test(
    "aborts the run: what is pending is cancelled, and the journal ends with the run",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "abort",
        version: "1",
        phases: [
          { id: "bad", command: "sh", args: ["-c", "echo trouble >&2; exit 3"] },
          { id: "next", command: "true", depends_on: ["bad"] },
        ],
      });
      expect(run).toMatchObject({ status: "failed", stop: "abort", stop_phase: "bad" });
      const journal = await deployment.journal(run.run_id);
      expect(journal.map(({ event }) => event)).toEqual([
        "run_queued",
        "run_started",
        "phase_started",
        "shard_started",
        "shard_failed",
        "phase_failed",
        "plan_aborted",
        "phase_cancelled",
        "run_failed",
      ]);
      expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, i) => i + 1));
      expect(journal.find(({ event }) => event === "shard_failed")?.data).toMatchObject({
        error_code: "EXIT_NONZERO",
        exit_code: 3,
        attempts: 1,
      });
    }),
  );

  test(
    "skips what needs the phase, recursively and with the cause, and leaves the rest alone",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "skip",
        version: "1",
        phases: [
          { id: "bad", command: "false", on_failure: "skip_dependents" },
          { id: "needs", command: "true", depends_on: ["bad"] },
          { id: "needs-too", command: "true", depends_on: ["needs"] },
          { id: "cleanup", command: "true", depends_on: [{ phase: "needs", when: "always" }] },
          { id: "other", command: "true" },
        ],
      });
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(run.status).toBe("failed");
      expect(Object.fromEntries([...phases].map(([id, { status }]) => [id, status]))).toEqual({
        bad: "failed",
        needs: "skipped",
        "needs-too": "skipped",
        cleanup: "succeeded",
        other: "succeeded",
      });
      expect(phases.get("needs-too")?.cause).toEqual({ code: "dependency_failed", phase: "bad" });
    }),
  );

  test(
    "is tolerated when the phase says so: dependents run, and the run succeeds",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "tolerate",
        version: "1",
        phases: [
          { id: "bad", command: "false", on_failure: "continue", critical: false },
          { id: "next", command: "true", depends_on: ["bad"] },
        ],
      });
      expect(run).toMatchObject({ status: "succeeded", tolerated_failures: 1 });
    }),
  );

  test(
    "of one shard leaves its siblings running, and the phase fails when they are done",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "siblings",
        version: "1",
        globals: { max_concurrency: 2 },
        phases: [
          {
            id: "fan",
            command: "grep -v 1 $FANFOLD_INPUT",
            shell: true,
            shard: { strategy: "chunk", over: ITEMS, chunk_size: 1 },
            merge: { strategy: "concat" },
            on_failure: "skip_dependents",
          },
        ],
      });
      expect(run.status).toBe("failed");
      expect(await deployment.store.ledger.findPhase(run.run_id, "fan")).toMatchObject({ succeeded: 4, failed: 1 });
    }),
  );

  test(
    "is retried with backoff, counted, and forgotten when a later attempt succeeds",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "retry",
        version: "1",
        phases: [
          {
            id: "third-time",
            command: 'test "$FANFOLD_ATTEMPT" = 3',
            shell: true,
            retries: 2,
            retry_delay_sec: 0.05,
            retry_backoff: "exponential",
          },
        ],
      });
      expect(run.status).toBe("succeeded");
      const journal = await deployment.journal(run.run_id);
      const retries = journal.filter(({ event }) => event === "shard_retry");
      expect(retries.map(({ data }) => data.delay_ms)).toEqual([50, 100]);
      const shard = await deployment.store.ledger.findShard(run.run_id, { phase: "third-time", revision: 1, shard: 0 });
      expect(shard?.history?.map(({ status }) => status)).toEqual(["failed", "failed"]);
      expect(shard).toMatchObject({ status: "succeeded", attempt: 3 });
    }),
  );

  test(
    "by timeout kills the attempt and is told apart",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "timeout",
        version: "1",
        phases: [{ id: "slow", command: "sleep", args: ["30"], timeout_sec: 0.2 }],
      });
      expect(run.status).toBe("failed");
      expect(await deployment.story(run.run_id)).toContain("shard_timeout slow[0], shard_failed slow[0]");
    }),
  );

  test(
    "to read the records of a phase fails it before it starts",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "bad-records",
        version: "1",
        phases: [
          { id: "list", command: "printf", args: ["{}\\nnot json\\n"] },
          {
            id: "fan",
            command: "cat",
            depends_on: ["list"],
            shard: { strategy: "chunk", over: "list", chunk_size: 1 },
          },
        ],
      });
      expect(run.status).toBe("failed");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("fan")?.cause).toMatchObject({
        code: "expansion_failed",
        message: expect.stringContaining("line 2"),
      });
      expect(await deployment.story(run.run_id)).not.toContain("phase_started fan");
    }),
  );

  test(
    "of a merge persists nothing and says why",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "merge",
        version: "1",
        phases: [
          {
            id: "fan",
            command: "echo",
            args: ['{"id":1}'],
            shard: { strategy: "chunk", over: [{ id: 1 }, { id: 2 }], chunk_size: 1 },
            merge: { strategy: "records", key: "id", complete: true },
          },
        ],
      });
      expect(run.status).toBe("failed");
      const journal = await deployment.journal(run.run_id);
      const rejected = journal.find(({ event }) => event === "artifact_rejected");
      expect(rejected?.data.why).toMatch(/duplicate 1.*missing 2/);
      expect(journal.some(({ event }) => event === "artifact_persisted")).toBe(false);
    }),
  );

  test(
    "never comes from zero records: the merge is empty and the run goes on",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "none",
        version: "1",
        phases: [
          { id: "list", command: "true" },
          {
            id: "fan",
            command: "false",
            depends_on: ["list"],
            shard: { strategy: "chunk", over: "list", chunk_size: 1 },
          },
          { id: "next", command: "true", depends_on: ["fan"] },
        ],
      });
      expect(run.status).toBe("succeeded");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("fan")?.artifacts?.[0]).toMatchObject({ size_bytes: 0, inline: "" });
    }),
  );
});

describe("an artifact that a phase promises and does not make", () => {
  test(
    "fails the phase that promised it",
    withDeployment(async (deployment) => {
      const run = await deployment.run({
        plan_id: "promise",
        version: "1",
        phases: [
          { id: "a", command: "echo", args: ["{}"], provides: ["main", "extra"] },
          { id: "b", command: "true", depends_on: ["a"], shard: { strategy: "chunk", over: "extra", chunk_size: 1 } },
        ],
      });
      expect(run.status).toBe("failed");
      const journal = await deployment.journal(run.run_id);
      expect(journal.find(({ event }) => event === "shard_failed")?.data.error_code).toBe("ARTIFACT_MISSING");
    }),
  );
});

test(
  "a run id that is no id is refused",
  withDeployment(async (deployment) => {
    const plan = { plan_id: "ids", version: "1", phases: [{ id: "a", command: "true" }] };
    for (const runId of ["a b", "a:b", "../../x", ""]) {
      await expect(deployment.submit(plan, runId)).rejects.toThrow("is not an id for a run");
    }
  }),
);
