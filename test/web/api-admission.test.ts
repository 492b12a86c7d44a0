import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ActionResultSchema, CapSchema, RemovedSchema, WhySchema } from "@fanfold/schemas";
import { eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { ask, codeOf, post } from "./api-client.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();

/** One phase of two long shards, with records that are kept in a file, one at a time, and one that waits for it. */
const PLAN = {
  plan_id: "slow",
  version: "1",
  globals: { kill_grace_sec: 0.1 },
  phases: [
    {
      id: "a",
      command: "sleep",
      args: ["60"],
      max_parallel: 1,
      on_failure: "skip_dependents",
      shard: { strategy: "chunk", over: [1, "long".repeat(5_000)], chunk_size: 1 },
    },
    { id: "b", command: "true", depends_on: ["a"] },
  ],
};

test(
  "pauses and resumes, tells of caps and reasons, cancels a part, and removes",
  withDashboard(async ({ dashboard, deployment }) => {
    await post(dashboard, "/runs", { plan: PLAN, run_id: "slow" });
    await eventually(async () => (await deployment.story("slow")).includes("shard_started a[0]"));

    const paused = await post(dashboard, "/runs/slow/pause", {});
    expect([paused.status, ActionResultSchema.parse(paused.body)]).toMatchObject([200, { status: "running" }]);
    const why = WhySchema.array().parse((await ask(dashboard, "/runs/slow/why?phase=a")).body);
    expect(why.map(({ code }) => code)).toContain("paused");
    expect((await post(dashboard, "/runs/slow/resume", {})).status).toBe(200);
    const caps = CapSchema.array().parse((await ask(dashboard, "/caps?run=slow")).body);
    expect(caps.find(({ kind }) => kind === "phase")).toMatchObject({ name: "slow/a", limit: 1, in_use: 1 });

    expect(codeOf(await ask(dashboard, "/runs/slow", { method: "DELETE" }))).toBe("STATE_CONFLICT");
    expect((await post(dashboard, "/runs/slow/cancel", { shard: 1 })).status).toBe(400);
    expect((await post(dashboard, "/runs/slow/cancel", { phase: "a" })).status).toBe(200);
    expect((await deployment.ended("slow")).status).toBe("failed");
    const removed = await ask(dashboard, "/runs/slow", { method: "DELETE" });
    const { keys, files, ...rest } = RemovedSchema.parse(removed.body);
    expect(rest).toMatchObject({ run_id: "slow", is_removed: true, remark: null });
    expect([keys > 0, files > 0]).toEqual([true, true]); // its records, if nothing else
    expect(await readdir(join(deployment.dir, "artifacts"), { recursive: true })).not.toContainEqual(
      expect.stringMatching(/[0-9a-f]{64}$/),
    );
    expect((await ask(dashboard, "/runs/slow")).status).toBe(404);

    await deployment.ended(
      await deployment.submit({ plan_id: "p", version: "1", phases: [{ id: "a", command: "true" }] }, "p"),
    );
    await writeFile(join(deployment.dir, "artifacts/deployments/other"), "{other} at elsewhere\n");
    const kept = await ask(dashboard, "/runs/p", { method: "DELETE" });
    const remark = "another deployment uses this artifact store too ({other} at elsewhere)";
    expect(RemovedSchema.parse(kept.body)).toMatchObject({ is_removed: true, files: 0, bytes: 0, remark });
  }),
);
