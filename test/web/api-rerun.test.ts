import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DashboardService } from "@fanfold/dashboard";
import {
  ArtifactPageSchema,
  RerunResultSchema,
  RevisionDiffSchema,
  RevisionSchema,
  RunDetailSchema,
  RunVariablesSchema,
} from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { ask, codeOf, post } from "./api-client.ts";
import { NOVEL_PLAN, SILENT_LOG, useDashboards, type Watched } from "./with-dashboard.ts";

const withDashboard = useDashboards();

async function start({ dashboard, deployment }: Watched): Promise<void> {
  await writeFile(join(deployment.dir, "context.txt"), '{"id":1,"v":"a"}\n{"id":2,"v":"b"}\n');
  const answer = await post(dashboard, "/runs", { plan: NOVEL_PLAN, run_id: "novel" });
  expect(answer.status).toBe(201);
  expect((await deployment.ended("novel")).status).toBe("succeeded");
}

describe("reruns of the API", () => {
  test(
    "previews, runs again, tells what is stale and why, and brings the run up to date",
    withDashboard(async (watched) => {
      const { dashboard, deployment } = watched;
      await start(watched);
      await writeFile(join(deployment.dir, "context.txt"), '{"id":1,"v":"a"}\n{"id":2,"v":"c"}\n{"id":3,"v":"d"}\n');
      const order = { phases: ["context"], reach: "stale", preview: true };
      const preview = RerunResultSchema.parse((await post(dashboard, "/runs/novel/rerun", order)).body);
      expect(preview).toMatchObject({
        is_preview: true,
        status: "succeeded",
        steps: [
          { phase: "context", kind: "run", why: "asked for" },
          { phase: "translate", kind: "if_stale" },
          { phase: "publish", kind: "if_stale" },
        ],
        problems: [],
        plan_diff: null,
      });
      expect(await deployment.story("novel")).not.toContain("phase_rerun");

      await post(dashboard, "/runs/novel/rerun", { phases: ["context"], reach: "only" });
      await deployment.ended("novel");
      const detail = RunDetailSchema.parse((await ask(dashboard, "/runs/novel")).body);
      expect(detail.phases.map(({ phase, stale_cause }) => [phase, stale_cause])).toEqual([
        ["context", null],
        ["translate", "context r1 → r2"],
        ["publish", "context r1 → r2"],
      ]);

      const updated = RerunResultSchema.parse((await post(dashboard, "/runs/novel/rerun", { reach: "update" })).body);
      expect(updated.steps.map(({ phase }) => phase)).toEqual(["translate", "publish"]);
      await deployment.ended("novel");
      const rerun = (await deployment.journal("novel")).find(({ event }) => event === "phase_rerun");
      expect(rerun?.data.actor).toBe("dashboard");

      const history = RevisionSchema.array().parse((await ask(dashboard, "/runs/novel/history?phase=translate")).body);
      expect(history.map(({ revision, status, summary }) => [revision, status, summary])).toEqual([
        [1, "superseded", "34 B"],
        [2, "succeeded", "3 shards, 51 B"],
      ]);
      const listed = await ask(dashboard, "/runs/novel/artifact-records?outputs=1&type=file");
      const outputs = ArtifactPageSchema.parse(listed.body).artifacts.map(({ artifact_id: id }) => id);
      const revisions = RevisionSchema.array().parse((await ask(dashboard, "/runs/novel/history")).body);
      expect(revisions.flatMap(({ artifact_ids: ids }) => ids)).toEqual(outputs);
      const diff = RevisionDiffSchema.array().parse((await ask(dashboard, "/runs/novel/diff?phase=translate")).body);
      expect(diff).toMatchObject([
        {
          from: 1,
          to: 2,
          records: {
            added: { count: 1, first: [{ key: "3" }] },
            removed: { count: 0 },
            changed: { count: 1, first: [{ key: "2", fields: ["v"] }] },
            unchanged: 1,
          },
        },
      ]);
      const all = RevisionDiffSchema.array().parse((await ask(dashboard, "/runs/novel/diff?limit=1")).body);
      expect(all.map(({ phase }) => phase)).toEqual(["context", "translate", "publish"]);
      expect(all[0]?.records).toMatchObject({ added: { count: 2 }, removed: { count: 1 } });
      expect(all[0]?.records?.added.first).toHaveLength(1);
      expect(codeOf(await ask(dashboard, "/runs/novel/diff?phase=translate&from=1&to=9"))).toBe("NOT_FOUND");
      expect(codeOf(await ask(dashboard, "/runs/novel/history?phase=nope"))).toBe("NOT_FOUND");
    }),
  );

  test(
    "runs again with other variables, or with another plan",
    withDashboard(async (watched) => {
      const { dashboard, deployment } = watched;
      await start(watched);
      const variables = RunVariablesSchema.parse((await ask(dashboard, "/runs/novel/variables")).body);
      expect(variables).toMatchObject({ is_known: true, variables: [{ name: "TITLE", default: "Tea" }], values: {} });
      const answer = await post(dashboard, "/runs/novel/rerun", { reach: "update", variables: { TITLE: "Coffee" } });
      expect(RerunResultSchema.parse(answer.body)).toMatchObject({
        steps: [{ phase: "publish", kind: "run" }],
        plan_diff: { changed: { publish: "work" }, removed: [] },
      });
      await deployment.ended("novel");
      const plan = JSON.stringify((await ask(dashboard, "/runs/novel/plan")).body);
      expect(plan).toContain("echo Coffee");
      const [, , publish] = NOVEL_PLAN.phases;
      const phases = [...NOVEL_PLAN.phases.slice(0, 2), { ...publish, command: "echo the end" }];
      const order = { plan: { ...NOVEL_PLAN, phases }, preview: true };
      const other = RerunResultSchema.parse((await post(dashboard, "/runs/novel/rerun", order)).body);
      expect(other.plan_diff?.changed).toEqual({ publish: "work" });
      const wrong = await post(dashboard, "/runs/novel/rerun", { plan: { ...NOVEL_PLAN, plan_id: "other" } });
      expect([wrong.status, codeOf(wrong)]).toEqual([400, "INVALID_REQUEST"]);
      const invalid = await post(dashboard, "/runs/novel/rerun", { plan: { ...NOVEL_PLAN, nonsense: 1 } });
      expect(codeOf(invalid)).toBe("INVALID_PLAN");
    }),
  );

  test(
    "refuses what makes no sense, and lets viewers preview only",
    withDashboard(async (watched) => {
      const { dashboard, deployment } = watched;
      await start(watched);
      for (const body of [{}, { phases: ["context"], reach: "update" }, { phases: ["context"], reach: "far" }]) {
        expect(codeOf(await post(dashboard, "/runs/novel/rerun", body))).toBe("INVALID_REQUEST");
      }
      expect(codeOf(await post(dashboard, "/runs/none/rerun", { reach: "update" }))).toBe("NOT_FOUND");
      expect(codeOf(await post(dashboard, "/runs/novel/rerun", { phases: ["nope"] }))).toBe("STATE_CONFLICT");
      const preview = await post(dashboard, "/runs/novel/rerun", { phases: ["nope"], preview: true });
      expect(RerunResultSchema.parse(preview.body).problems).toMatchObject([{ code: "UNKNOWN_PHASE" }]);

      const tokens = "wall:viewer:fedcba9876543210";
      const guarded = new DashboardService(deployment.engine, { port: 0, tokens }, SILENT_LOG);
      await guarded.start();
      const asViewer = (isPreview: boolean) =>
        ask(guarded, "/runs/novel/rerun", {
          method: "POST",
          headers: { authorization: "Bearer fedcba9876543210", "content-type": "application/json" },
          body: JSON.stringify({ phases: ["context"], preview: isPreview }),
        });
      expect((await asViewer(true)).status).toBe(200);
      const refused = await asViewer(false);
      expect([refused.status, codeOf(refused)]).toEqual([403, "FORBIDDEN"]);
      await guarded.stop();
    }),
  );
});
