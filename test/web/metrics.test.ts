import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMPILE_PLAN, useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();

test(
  "shows the figures of a deployment to Prometheus",
  withDashboard(async ({ dashboard, deployment }) => {
    const read = async (): Promise<Map<string, number>> => {
      const text = await (await fetch(`${dashboard.url}/metrics`)).text();
      const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      return new Map(lines.map((line) => [line.replace(/ \S+$/, ""), Number(/\S+$/.exec(line)?.[0])]));
    };
    const text = await (await fetch(`${dashboard.url}/metrics`)).text();
    expect(text.match(/^# TYPE \S+_total gauge$/gm)).toBeNull();
    const before = await read();
    expect(before.get('fanfold_runs{status="running"}')).toBe(0);
    const runId = await deployment.submit(COMPILE_PLAN);
    await deployment.ended(runId);
    const failed = await read();
    expect(failed.get("fanfold_stored_runs")).toBe(1);
    expect(failed.get('fanfold_attempt_duration_seconds_count{outcome="failed"}')).toBe(1);
    await writeFile(join(deployment.dir, "rules.txt"), "rules");
    await deployment.engine.retry(runId, {}, "test");
    await deployment.ended(runId);
    const after = await read();
    expect(after.get('fanfold_attempt_duration_seconds_count{outcome="failed"}')).toBe(1);
    expect(after.get('fanfold_attempt_duration_seconds_count{outcome="succeeded"}')).toBe(12);
    expect(after.get('fanfold_queue_jobs{pool="default",state="waiting"}')).toBe(0);
    expect(after.get('fanfold_queue_oldest_wait_seconds{pool="default"}')).toBe(0);
    expect(after.get('fanfold_pool_workers{pool="default"}')).toBe(1);
    for (const name of ["fanfold_redis_ping_seconds", "nodejs_eventloop_lag_seconds", "fanfold_attempts_lost_total"]) {
      expect([name, after.has(name)]).toEqual([name, true]);
    }
  }),
);
