import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LogPageSchema, ShardDetailSchema, ShardPageSchema, type PlanInput } from "@fanfold/schemas";
import { eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { ask, codeOf, readEvents } from "./api-client.ts";
import { useDashboards, type Watched } from "./with-dashboard.ts";

const withDashboard = useDashboards();

/** Twelve shards that print their index; 3 and 5 fail, and nothing is retried or cut short. */
const MIXED: PlanInput = {
  plan_id: "mixed",
  version: "1",
  phases: [
    {
      id: "work",
      command:
        'echo "shard $FANFOLD_SHARD_INDEX ✓"; case $FANFOLD_SHARD_INDEX in 3|5) echo "<script>alert(1)</script>"; exit 7;; esac',
      shell: true,
      shard: { strategy: "chunk", over: Array.from({ length: 12 }, (_, n) => ({ n })), chunk_size: 1 },
      merge: { strategy: "concat" },
      on_failure: "continue",
    },
  ],
};

const SHARDS = "/runs/mixed/phases/work/shards";

async function page({ dashboard }: Watched, query: string) {
  return ShardPageSchema.parse((await ask(dashboard, `${SHARDS}?${query}`)).body);
}

describe("shards of the API", () => {
  test(
    "filters, sorts and pages the shards of a phase",
    withDashboard(async (watched) => {
      const { deployment } = watched;
      await deployment.submit(MIXED, "mixed");
      await deployment.ended("mixed");
      const indexes = async (query: string): Promise<number[]> =>
        (await page(watched, query)).shards.map(({ shard }) => shard);
      expect(await indexes("")).toEqual(Array.from({ length: 12 }, (_, n) => n));
      expect(await indexes("status=failed")).toEqual([3, 5]);
      expect(await indexes("status=failed&order=desc")).toEqual([5, 3]);
      expect(await indexes("q=1")).toEqual([1, 10, 11]);
      expect(await indexes("q=worker-1&limit=2")).toEqual([0, 1]);
      const first = await page(watched, "limit=8");
      expect([first.total, first.next_cursor]).toEqual([12, "8"]);
      expect(await indexes("limit=8&cursor=8")).toEqual([8, 9, 10, 11]);
      const durations = (await page(watched, "sort=duration&order=desc")).shards.map(
        ({ duration_ms }) => duration_ms ?? 0,
      );
      expect(durations.length).toBe(12);
      const [failed] = (await page(watched, "status=failed")).shards;
      expect(failed).toMatchObject({ status: "failed", attempts: 1, failure: { exit_code: 7 } });
    }),
  );

  test(
    "shows a shard, its attempts and where its job is",
    withDashboard(async (watched) => {
      const { deployment, dashboard } = watched;
      await deployment.submit(MIXED, "mixed");
      await deployment.ended("mixed");
      const failed = ShardDetailSchema.parse((await ask(dashboard, `${SHARDS}/3`)).body);
      expect(failed).toMatchObject({ status: "failed", output: null, history: [{ attempt: 1, status: "failed" }] });
      const job = await fetch(`${dashboard.url}${failed.job_url?.replace("/queues/queue/", "/queues/api/queues/")}`);
      expect(job.status).toBe(200);
      const done = ShardDetailSchema.parse((await ask(dashboard, `${SHARDS}/4`)).body);
      expect(done).toMatchObject({ status: "succeeded", history: [{ attempt: 1, status: "succeeded" }] });
      expect(done.output?.size_bytes).toBe(Buffer.byteLength("shard 4 ✓\n"));
      const missing = [`${SHARDS}/12`, "/runs/mixed/phases/none/shards", `${SHARDS}/3/attempts/2/log`];
      for (const path of missing) expect(codeOf(await ask(dashboard, path))).toBe("NOT_FOUND");
    }),
  );

  test(
    "knows phases that were spawned since it looked at the run first",
    withDashboard(async ({ deployment, dashboard }) => {
      const request = `echo '{"type":"spawn","phase":"dev","key":"fix"}' >> $FANFOLD_EVENTS`;
      const command = `until [ -e go ]; do sleep 0.02; done; if [ $FANFOLD_SPAWN_ROUND = 0 ]; then ${request}; fi`;
      const dev = { id: "dev", command: "echo", args: ["mended"], enabled: false, spawnable: true };
      await deployment.submit(
        { plan_id: "loop", version: "1", phases: [{ id: "test", command, shell: true }, dev] },
        "loop",
      );
      expect((await ask(dashboard, "/runs/loop/phases/test/shards")).status).toBe(200);
      await writeFile(join(deployment.dir, "go"), "");
      await deployment.ended("loop");
      const spawned = (await deployment.journal("loop")).find(({ event }) => event === "phase_spawned");
      const path = `/runs/loop/phases/${encodeURIComponent(spawned?.phase ?? "")}/shards`;
      expect((await ask(dashboard, path)).body).toMatchObject({ total: 1, shards: [{ status: "succeeded" }] });
      const tested = ShardDetailSchema.parse((await ask(dashboard, "/runs/loop/phases/test/shards/0")).body);
      expect(tested.history.map(({ status }) => status)).toEqual(["spawned", "succeeded"]);
      const run = JSON.stringify((await ask(dashboard, "/runs/loop")).body);
      expect(run).toContain(spawned?.phase ?? "none");
    }),
  );

  test(
    "hands out a log in parts, whole, and as plain text whatever is in it",
    withDashboard(async (watched) => {
      const { deployment, dashboard } = watched;
      await deployment.submit(MIXED, "mixed");
      await deployment.ended("mixed");
      const log = `${SHARDS}/3/attempts/1/log`;
      const all = LogPageSchema.parse((await ask(dashboard, log)).body);
      expect(all).toMatchObject({ text: "shard 3 ✓\n<script>alert(1)</script>\n", offset: 0, is_complete: true });
      const cut = LogPageSchema.parse((await ask(dashboard, `${log}?limit=9`)).body);
      expect([cut.text, cut.next_offset]).toEqual(["shard 3 ", 8]);
      const rest = LogPageSchema.parse((await ask(dashboard, `${log}?offset=8`)).body);
      expect(cut.text + rest.text).toBe(all.text);
      const file = await fetch(`${dashboard.url}/api/v1${log}?download=1`);
      expect(await file.text()).toBe(all.text);
      expect(file.headers.get("content-type")).toBe("text/plain; charset=utf-8");
      expect(file.headers.get("content-disposition")).toBe("attachment; filename=mixed.work.3.1.log");
      const events: string[] = [];
      for await (const { event, data } of readEvents(`${dashboard.url}/api/v1${log}/stream`)) {
        if (event === "end") break;
        events.push(JSON.parse(data).text);
      }
      expect(events.join("")).toBe(all.text);
    }),
  );

  test(
    "streams what a running attempt writes, and goes on where a client was cut off",
    withDashboard(async (watched) => {
      const { deployment, dashboard } = watched;
      const command = "echo one; until test -e two; do sleep 0.05; done; echo two";
      const plan: PlanInput = { plan_id: "talk", version: "1", phases: [{ id: "a", command, shell: true }] };
      const runId = await deployment.submit(plan);
      const path = `/runs/${runId}/phases/a/shards/0/attempts/1/log`;
      await eventually(async () => expect((await ask(dashboard, path)).status).toBe(200));
      const url = `${dashboard.url}/api/v1${path}/stream`;
      let position = "";
      for await (const { event, id, data } of readEvents(url)) {
        position = id ?? "";
        expect([event, JSON.parse(data)]).toEqual(["log", { text: "one\n", offset: 0 }]);
        break;
      }
      await writeFile(join(deployment.dir, "two"), "");
      const rest: unknown[] = [];
      for await (const { event, data } of readEvents(url, { "last-event-id": position })) {
        rest.push([event, JSON.parse(data)]);
        if (event === "end") break;
      }
      expect(rest).toEqual([
        ["log", { text: "two\n", offset: 4 }],
        ["end", {}],
      ]);
    }),
  );
});
