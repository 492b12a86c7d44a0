import {
  EventPageSchema,
  RunDetailSchema,
  RunListItemSchema,
  RunListSchema,
  CompiledPlanSchema,
} from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { ask, codeOf, readEvents, readLines } from "./api-client.ts";
import { COMPILE_PLAN, useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();
const QUICK = { plan_id: "quick", version: "1", metadata: { tags: ["night"] }, phases: [{ id: "a", command: "true" }] };

describe("runs of the API", () => {
  test(
    "lists runs newest first, page by page, and by filter",
    withDashboard(async ({ dashboard, deployment }) => {
      expect(await ask(dashboard, "/runs")).toEqual({ status: 200, body: { runs: [], next_cursor: null } });
      for (const id of ["one", "two", "three"]) await deployment.submit(QUICK, id);
      await deployment.submit({ ...QUICK, plan_id: "other", metadata: {} }, "four");
      for (const id of ["one", "two", "three", "four"]) await deployment.ended(id);
      const idsOf = async (query: string): Promise<string[]> =>
        RunListSchema.parse((await ask(dashboard, `/runs?${query}`)).body).runs.map(({ run_id }) => run_id);
      expect(await idsOf("")).toEqual(["four", "three", "two", "one"]);
      const page = RunListSchema.parse((await ask(dashboard, "/runs?limit=3")).body);
      expect(page.runs[0]).toMatchObject({ run_id: "four", status: "succeeded", percent: 100, eta_sec: 0, tags: [] });
      expect(page.runs[1]?.shards).toEqual({ total: 1, succeeded: 1, failed: 0, running: 0, waiting: 0 });
      expect(await idsOf(`limit=3&cursor=${page.next_cursor}`)).toEqual(["one"]);
      expect(await idsOf("tag=night&limit=2")).toEqual(["three", "two"]);
      expect(await idsOf("plan=other")).toEqual(["four"]);
      expect(await idsOf("q=THRE")).toEqual(["three"]);
      expect(await idsOf("status=failed,running")).toEqual([]);
    }),
  );

  test(
    "shows a run, its plan and its events",
    withDashboard(async ({ dashboard, deployment }) => {
      const runId = await deployment.submit(COMPILE_PLAN);
      expect((await deployment.ended(runId)).status).toBe("failed");
      const run = RunDetailSchema.parse((await ask(dashboard, `/runs/${runId}`)).body);
      expect(run).toMatchObject({ status: "failed", edges: [{ from: "compile", to: "publish", kind: "hard" }] });
      expect(run.phases[0]).toMatchObject({ phase: "compile", shards: { total: 11, failed: 1 } });
      expect(run.phases[0]?.open_shards).toHaveLength(1);
      CompiledPlanSchema.parse((await ask(dashboard, `/runs/${runId}/plan`)).body);
      const all = EventPageSchema.parse((await ask(dashboard, `/runs/${runId}/events`)).body);
      expect(all.events).toEqual(await deployment.journal(runId));
      expect(all.last_seq).toBe(run.last_seq);
      const some = EventPageSchema.parse((await ask(dashboard, `/runs/${runId}/events?phase=compile&shard=3`)).body);
      expect(some.events).toEqual(all.events.filter(({ phase, shard }) => phase === "compile" && shard === 3));
      const next = EventPageSchema.parse((await ask(dashboard, `/runs/${runId}/events?after=2&limit=1`)).body);
      expect([next.events.map(({ seq }) => seq), next.last_seq]).toEqual([[3], 3]);
    }),
  );

  test(
    "answers what it cannot do with one form of error",
    withDashboard(async ({ dashboard }) => {
      const codes = async (...paths: string[]): Promise<string[]> =>
        Promise.all(paths.map(async (path) => codeOf(await ask(dashboard, path))));
      expect(
        await codes("/runs/none", "/runs/none/events", "/runs/none/plan", "/runs/none/stream", "/nothing"),
      ).toEqual(Array.from({ length: 5 }, () => "NOT_FOUND"));
      expect(
        await codes("/runs?limit=0", "/runs?status=lost", "/runs?colour=red", "/runs?cursor=x", "/runs/..%2f.."),
      ).toEqual(Array.from({ length: 5 }, () => "INVALID_REQUEST"));
    }),
  );
});

describe("streams of the API", () => {
  test(
    "loses nothing and repeats nothing when a stream is cut off and resumed",
    withDashboard(async ({ dashboard, deployment }) => {
      const runId = await deployment.submit(COMPILE_PLAN);
      const url = `${dashboard.url}/api/v1/runs/${runId}/stream`;
      const first = await readLines(url, { most: 5 });
      const second = await readLines(url, { most: 7, headers: { "last-event-id": String(first.at(-1)?.seq) } });
      const rest = await readLines(`${url}?after=${second.at(-1)?.seq}`);
      await deployment.ended(runId);
      expect([...first, ...second, ...rest]).toEqual(await deployment.journal(runId));
      expect(await readLines(`${url}?after=${rest.at(-1)?.seq}`)).toEqual([]);
    }),
  );

  test(
    "goes on after the end of a run when it is re-opened",
    withDashboard(async ({ dashboard, deployment }) => {
      const runId = await deployment.submit(COMPILE_PLAN);
      await deployment.ended(runId);
      const events: string[] = [];
      for await (const { event, data } of readEvents(`${dashboard.url}/api/v1/runs/${runId}/stream`)) {
        events.push(event);
        if (events.filter((name) => name === "end").length === 2) break;
        if (event === "end") await deployment.engine.retry(runId, {}, "test");
        else expect(JSON.parse(data)).toMatchObject({ run_id: runId });
      }
      expect(events.filter((name) => name === "journal")).toHaveLength((await deployment.journal(runId)).length);
    }),
  );

  test(
    "shares one reader among the streams of a run",
    withDashboard(async ({ dashboard, deployment }) => {
      const runId = await deployment.submit(COMPILE_PLAN);
      const url = `${dashboard.url}/api/v1/runs/${runId}/stream`;
      const all = await Promise.all(Array.from({ length: 20 }, () => readLines(url)));
      const journal = await deployment.journal(runId);
      for (const lines of all) expect(lines).toEqual(journal);
    }),
  );

  test(
    "tells of runs that are new or change, also to a client that comes back",
    withDashboard(async ({ dashboard, deployment }) => {
      const url = `${dashboard.url}/api/v1/runs/stream`;
      let position = "";
      for await (const { event, id, data } of readEvents(url)) {
        position = id ?? "";
        if (event === "ready") await deployment.submit(QUICK, "first");
        else if (RunListItemSchema.parse(JSON.parse(data)).status === "succeeded") break;
      }
      await deployment.run(QUICK);
      const seen: string[] = [];
      for await (const { event, data } of readEvents(url, { "last-event-id": position })) {
        expect(event).toBe("run");
        const { run_id, status } = RunListItemSchema.parse(JSON.parse(data));
        seen.push(run_id);
        if (status === "succeeded") break;
      }
      expect(seen).not.toContain("first");
      for await (const { event, data } of readEvents(url)) {
        if (event === "ready") await deployment.engine.remove("first", { force: false, actor: "test" });
        else if (event === "removed") {
          expect(JSON.parse(data)).toEqual({ run_id: "first" });
          break;
        }
      }
      for await (const { event } of readEvents(url, { "last-event-id": "elsewhere-7" })) {
        expect(event).toBe("reset");
        break;
      }
    }),
  );
});
