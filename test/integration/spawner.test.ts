import { expect, test } from "vitest";
import { useDeployments } from "./with-deployment.ts";

const withDeployment = useDeployments();

const plan = (script: string) => ({
  plan_id: "spawner",
  version: "1",
  phases: [{ id: "only", command: "sh", args: ["-c", script] }],
});

test(
  "a command whose shell of the spawner is killed counts as lost, and is taken again without a retry",
  withDeployment(async (deployment) => {
    const run = await deployment.run(plan('[ "$FANFOLD_ATTEMPT" -gt 1 ] || { kill -9 $PPID; sleep 60; }; echo done'));
    expect(run.status).toBe("succeeded");
    const journal = await deployment.journal(run.run_id);
    const ofShard = journal.filter(({ event }) => event.startsWith("shard_")).map(({ event }) => event);
    expect(ofShard).toEqual(["shard_started", "shard_lost", "shard_started", "shard_succeeded"]);
  }),
);

test(
  "a command that kills its shell each time fails for good",
  withDeployment(async (deployment) => {
    const run = await deployment.run(plan("kill -9 $PPID; sleep 60"));
    expect(run.status).toBe("failed");
    const journal = await deployment.journal(run.run_id);
    const failed = journal.find(({ event }) => event === "shard_failed");
    expect(failed?.data).toMatchObject({ error_code: "WORKER_LOST" });
  }),
);
