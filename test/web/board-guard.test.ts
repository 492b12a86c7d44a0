import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AGGREGATE_QUEUE, GATES_QUEUE, jobIds, SCHEDULER_QUEUE, shardQueue } from "@fanfold/store";
import { type Deployment, eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { COMPILE_PLAN, useDashboards, type Watched } from "./with-dashboard.ts";

const withDashboard = useDashboards();
const SHARDS = shardQueue("default");
const QUEUES = [SHARDS, AGGREGATE_QUEUE, SCHEDULER_QUEUE, GATES_QUEUE];

/** What must not be done to any queue: method, path below the queue, and a word of the explanation. */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ["PUT", "clean/failed", "partial results"],
  ["PUT", "clean/completed", "partial results"],
  ["PUT", "clean/wait", "partial results"],
  ["PUT", "clean/active", "partial results"],
  ["PUT", "clean/delayed", "partial results"],
  ["PUT", "clean/retry", "partial results"],
  ["PUT", "Clean/failed/", "partial results"],
  ["PUT", "empty", "partial results"],
  ["PUT", "obliterate", "partial results"],
  ["PUT", "JOB/clean", "partial results"],
  ["PUT", "JOB/remove-unprocessed-children", "partial results"],
  ["PUT", "promote", "by itself"],
  ["PUT", "JOB/promote", "by itself"],
  ["PUT", "retry/completed", "already folded"],
  ["PUT", "retry/retry", "already folded"],
  ["POST", "add", "fanfold submit"],
  ["PATCH", "JOB/update-data", "fanfold submit"],
  ["PATCH", "JOB/delay", "fanfold submit"],
  ["PATCH", "JOB/priority", "fanfold submit"],
  ["PUT", "job-schedulers/sweep/remove", "repairs runs"],
  ["PUT", "job-schedulers/sweep/run", "repairs runs"],
  ["PATCH", "job-schedulers/sweep", "repairs runs"],
  ["DELETE", "JOB", "fanfold command"],
  ["PUT", "something-new", "fanfold command"],
];

/** Ends a run with a failed shard and an aggregate that waits, and lets whatever is at work come to rest. */
async function failRun({ deployment }: Watched): Promise<{ runId: string; jobId: string }> {
  const { run_id: runId } = await deployment.run(COMPILE_PLAN);
  await eventually(async () => {
    for (const name of QUEUES) {
      const busy = await deployment.store.queues.queue(name).getJobCountByTypes("active", "waiting", "prioritized");
      if (busy > 0) throw new Error(`${busy} jobs of ${name} are not done`);
    }
  });
  return { runId, jobId: jobIds.shard(runId, { phase: "compile", revision: 1, shard: 3 }) };
}

/** State of every job of the run's queues, the sweeps left out. */
async function listJobs(deployment: Deployment): Promise<string[]> {
  const states = QUEUES.map(async (name) => {
    const jobs = await deployment.store.queues.queue(name).getJobs();
    return Promise.all(jobs.map(async (job) => `${name} ${job.id} ${await job.getState()}`));
  });
  return (await Promise.all(states)).flat().filter((line) => !line.includes("sweep"));
}

function send({ dashboard }: Watched, method: string, path: string): Promise<Response> {
  const init =
    method === "DELETE" ? { method } : { method, body: "{}", headers: { "content-type": "application/json" } };
  return fetch(`${dashboard.url}/queues/api/queues/${path}`, init);
}

/** The reopened run's end. */
async function expectResumed({ deployment }: Watched, runId: string): Promise<void> {
  await eventually(async () => {
    const { status } = await deployment.store.runs.get(runId);
    if (status !== "succeeded") throw new Error(`${status}: ${await deployment.story(runId)}`);
  });
  expect(await deployment.story(runId)).toContain("run_reopened");
}

async function mend({ deployment }: Watched): Promise<void> {
  await writeFile(join(deployment.dir, "rules.txt"), "rules\n");
}

describe("the guard of the board", () => {
  test(
    "refuses whatever removes, adds or changes jobs, says why, and leaves every job where it is",
    withDashboard(async (watched) => {
      const { jobId } = await failRun(watched);
      const before = await listJobs(watched.deployment);
      expect(before).toContain(`${SHARDS} ${jobId} failed`);
      expect(before.filter((line) => line.endsWith("waiting-children"))).toHaveLength(2);
      for (const queue of QUEUES) {
        for (const [method, path, why] of REFUSED) {
          const answer = await send(watched, method, `${queue}/${path.replace("JOB", jobId)}`);
          const seen = { method, path, status: answer.status, body: await answer.json() };
          const body = { error: expect.any(String), message: expect.stringContaining(why), code: "ACTION_REFUSED" };
          expect(seen).toEqual({ method, path, status: 409, body });
        }
      }
      expect(await listJobs(watched.deployment)).toEqual(before);
      expect(await watched.deployment.store.queues.queue(SCHEDULER_QUEUE).getJobSchedulersCount()).toBe(1);
    }),
  );

  test(
    "is not fooled by how the path is spelled",
    withDashboard(async (watched) => {
      const { jobId } = await failRun(watched);
      const before = await listJobs(watched.deployment);
      const paths = [
        `/queues/api/queues/${SHARDS}/cle%61n/failed`,
        `/QUEUES/API/queues/${SHARDS}/empty`,
        `/queues//api/queues/${SHARDS}/empty`,
        `/queues/api/queues/${SHARDS}/empty?x=/retry`,
        `/queues/api/queues/${SHARDS}/clean/retry`,
        `/queues/api/queues/${SHARDS}/${jobId}%2Fretry/clean`,
        `/queues/api/queues/${encodeURIComponent(SHARDS)}/${encodeURIComponent(jobId)}/clean/`,
      ];
      for (const path of paths) {
        const { status } = await fetch(watched.dashboard.url + path, { method: "PUT" });
        expect({ path, status }).toEqual({ path, status: 409 });
      }
      expect(await listJobs(watched.deployment)).toEqual(before);
    }),
  );

  test(
    "lets the retry of one failed job through, which carries the run on",
    withDashboard(async (watched) => {
      const { runId, jobId } = await failRun(watched);
      await mend(watched);
      expect((await send(watched, "PUT", `${SHARDS}/${jobId}/retry`)).status).toBe(204);
      await expectResumed(watched, runId);
    }),
  );

  test(
    "lets the retry of all failed jobs through, which carries the run on",
    withDashboard(async (watched) => {
      const { runId } = await failRun(watched);
      await mend(watched);
      expect((await send(watched, "PUT", `${SHARDS}/retry/failed`)).status).toBe(200);
      await expectResumed(watched, runId);
    }),
  );

  test(
    "lets a completed job be retried, which changes nothing about the run",
    withDashboard(async (watched) => {
      const { deployment } = watched;
      await mend(watched);
      const { run_id: runId, status } = await deployment.run(COMPILE_PLAN);
      expect(status).toBe("succeeded");
      const [before, story] = [await listJobs(deployment), await deployment.story(runId)];
      for (const line of before) {
        const [queue, id] = line.split(" ");
        expect((await send(watched, "PUT", `${queue}/${id}/retry`)).status).toBe(204);
      }
      await eventually(async () => {
        const after = await listJobs(deployment);
        expect([...after].sort()).toEqual([...before].sort());
      });
      expect(await deployment.story(runId)).toBe(story);
    }),
  );

  test(
    "lets a queue be paused and resumed",
    withDashboard(async (watched) => {
      const queue = watched.deployment.store.queues.queue(SHARDS);
      expect((await send(watched, "PUT", `${SHARDS}/pause`)).status).toBe(200);
      expect(await queue.isPaused()).toBe(true);
      expect((await send(watched, "PUT", `${SHARDS}/resume`)).status).toBe(200);
      expect(await queue.isPaused()).toBe(false);
    }),
  );
});
