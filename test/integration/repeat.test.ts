import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

type Phase = Extract<PlanInput, { phases: unknown }>["phases"][number];

function plan(phase: Omit<Phase, "id">): PlanInput {
  return { plan_id: "loop", version: "1", phases: [{ id: "loop", ...phase }] };
}

const REF = { phase: "loop", revision: 1, shard: 0 };

describe("repeat_until", () => {
  test(
    "runs a phase again on its own output until the condition is true, which counts as no retry",
    withDeployment(async (deployment) => {
      const count = `
        n=$(cat "\${FANFOLD_PREVIOUS_OUTPUT:-/dev/null}" | tr -dc 0-9)
        test "$FANFOLD_ITERATION" = "$(( \${n:-0} + 1 ))" || exit 9
        test "$FANFOLD_ATTEMPT" != 2 || exit 5
        echo "{\\"n\\": $(( \${n:-0} + 1 ))}"`;
      const run = await deployment.run(
        plan({
          command: "sh",
          args: ["-c", count.replaceAll("${", "$${")],
          repeat_until: "output.n >= 3 && iteration == 3",
          max_iterations: 3,
          retries: 1,
          retry_delay_sec: 0,
        }),
      );
      expect(run.status).toBe("succeeded");
      const phases = await deployment.store.runs.loadPhases(run.run_id);
      expect(phases.get("loop")?.artifacts?.[0]?.inline).toBe('{"n": 3}\n');
      expect(await deployment.story(run.run_id)).toMatchInlineSnapshot(
        `"run_queued, run_started, phase_started loop, shard_started loop[0], shard_iterated loop[0], shard_started loop[0], shard_retry loop[0], shard_started loop[0], shard_iterated loop[0], shard_started loop[0], shard_succeeded loop[0], artifact_persisted loop, phase_succeeded loop, run_succeeded"`,
      );
      const record = await deployment.store.ledger.findShard(run.run_id, REF);
      expect(record?.history?.map(({ status }) => status)).toEqual(["succeeded", "failed", "succeeded"]);
    }),
  );

  test(
    "fails a phase that does not get there, naming the condition; a retry by hand begins anew",
    withDeployment(async (deployment) => {
      const source =
        "export default ({ iteration, previous }) => ({ seen: [...(previous === undefined ? [] : JSON.parse(previous).seen), iteration] });";
      await writeFile(join(deployment.dir, "h.mjs"), source);
      const run = await deployment.run(
        plan({ handler: "h.mjs", repeat_until: "output.seen.size() > 5", max_iterations: 2, retries: 3 }),
      );
      expect(run.status).toBe("failed");
      const failed = await deployment.store.ledger.findShard(run.run_id, REF);
      expect(failed?.failure).toMatchObject({
        error_code: "MAX_ITERATIONS",
        why: "output.seen.size() > 5 was not true after 2 iterations",
      });
      await deployment.engine.retry(run.run_id, {}, "test");
      await deployment.ended(run.run_id);
      const iterations = (await deployment.journal(run.run_id)).filter(({ event }) => event === "shard_iterated");
      expect(iterations.map(({ data }) => data["iteration"])).toEqual([1, 1]);
    }),
  );

  test(
    "fails an attempt whose output the condition cannot be asked about",
    withDeployment(async (deployment) => {
      const run = await deployment.run(plan({ command: "echo", args: ["text"], repeat_until: "output.n > 1" }));
      expect(run.status).toBe("failed");
      const record = await deployment.store.ledger.findShard(run.run_id, REF);
      expect(record?.failure).toMatchObject({ error_code: "REPEAT_FAILED" });
    }),
  );
});
