import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  ActionResultSchema,
  ApiErrorSchema,
  ArtifactDocumentSchema,
  DrainedSchema,
  PlanCheckSchema,
  PoolSchema,
  SubmitResultSchema,
  WorkerSchema,
} from "@fanfold/schemas";
import { eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { ask, codeOf, post } from "./api-client.ts";
import { COMPILE_PLAN, useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();

const GREET = `
plan_id: greet
version: "1"
variables:
  NAME: {default: you, description: Who is greeted, pattern: "[a-z]+"}
  LOUD: {type: enum, values: ["yes", "no"]}
phases:
  - {id: say, command: "echo \${NAME} \${LOUD}", shell: true, tags: [talk]}
`;

describe("plans of the API", () => {
  test(
    "checks a plan: its variables and phases, its problems with their places",
    withDashboard(async ({ dashboard }) => {
      const good = await post(dashboard, "/plans/validate", { plan_text: GREET, variables: { LOUD: "no" } });
      expect(PlanCheckSchema.parse(good.body)).toMatchObject({
        ok: true,
        variables: [
          {
            name: "NAME",
            type: "string",
            default: "you",
            description: "Who is greeted",
            pattern: "[a-z]+",
            is_required: false,
          },
          { name: "LOUD", type: "enum", default: null, options: ["yes", "no"], is_required: true },
        ],
        phases: [{ phase: "say", pool: "default", takes_part: true, depends_on: [] }],
        phase_ids: ["say"],
      });
      const open = await post(dashboard, "/plans/validate", { plan_text: GREET, as_template: true });
      expect(PlanCheckSchema.parse(open.body)).toMatchObject({ ok: true, problems: [] });
      const bad = await post(dashboard, "/plans/validate", { plan_text: GREET.replace("command", "comand") });
      const check = PlanCheckSchema.parse(bad.body);
      expect([check.ok, check.variables.length, check.phase_ids]).toEqual([false, 2, ["say"]]);
      expect(check.problems).toContainEqual(expect.objectContaining({ code: "UNKNOWN_KEY", line: 8, column: 15 }));
    }),
  );

  test(
    "submits a plan once for each run id",
    withDashboard(async ({ dashboard, deployment }) => {
      const request = { plan_text: GREET, variables: { LOUD: "yes" }, run_id: "greeting" };
      const first = await post(dashboard, "/runs", request);
      expect([first.status, SubmitResultSchema.parse(first.body)]).toMatchObject([201, { is_new: true }]);
      const second = await post(dashboard, "/runs", request);
      expect([second.status, second.body]).toMatchObject([200, { run_id: "greeting", is_new: false }]);
      expect((await deployment.ended("greeting")).status).toBe("succeeded");
      const asData = await post(dashboard, "/runs", { plan: { ...COMPILE_PLAN } });
      expect(asData.status).toBe(201);
    }),
  );

  test(
    "refuses plans that are wrong, and directories outside of the workspace",
    withDashboard(async ({ dashboard }) => {
      const invalid = await post(dashboard, "/runs", { plan_text: GREET });
      expect(ApiErrorSchema.parse(invalid.body).error).toMatchObject({
        code: "INVALID_PLAN",
        details: [{ code: "MISSING_VARIABLE", line: 6 }],
      });
      for (const base_dir of ["/etc", "../other", "a/../../b", ""]) {
        const answer = await post(dashboard, "/runs", { plan_text: GREET, base_dir });
        expect([base_dir, answer.status, codeOf(answer)]).toEqual([base_dir, 400, "INVALID_REQUEST"]);
      }
      expect(codeOf(await post(dashboard, "/runs", {}))).toBe("INVALID_REQUEST");
      expect(codeOf(await post(dashboard, "/runs", { plan_text: GREET, plan: {} }))).toBe("INVALID_REQUEST");
      const large = await post(dashboard, "/runs", { plan_text: "#".repeat(9 * 1024 * 1024) });
      expect([large.status, codeOf(large)]).toEqual([413, "TOO_LARGE"]);
      const broken = await ask(dashboard, "/runs", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{",
      });
      expect([broken.status, codeOf(broken)]).toEqual([400, "INVALID_REQUEST"]);
      expect(await ask(dashboard, "/runs")).toMatchObject({ body: { runs: [] } });
    }),
  );
});

describe("actions of the API", () => {
  test(
    "retries what failed, and names who asked in the journal",
    withDashboard(async ({ dashboard, deployment }) => {
      const runId = await deployment.submit(COMPILE_PLAN);
      expect((await deployment.ended(runId)).status).toBe("failed");
      expect(codeOf(await post(dashboard, `/runs/${runId}/retry`, { phase: "compile", shards: [0, 1] }))).toBe(
        "STATE_CONFLICT",
      );
      expect(codeOf(await post(dashboard, `/runs/${runId}/retry`, { shards: [3] }))).toBe("INVALID_REQUEST");
      expect(codeOf(await post(dashboard, `/runs/${runId}/retry`, { phase: "none" }))).toBe("NOT_FOUND");
      await writeFile(join(deployment.dir, "rules.txt"), "rules");
      const answer = await post(dashboard, `/runs/${runId}/retry`, { phase: "compile", shards: [3, 4] });
      expect(ActionResultSchema.parse(answer.body)).toMatchObject({ status: "running", retried: ["compile[3]"] });
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const reopened = (await deployment.journal(runId)).find(({ event }) => event === "run_reopened");
      expect(reopened?.data.actor).toBe("dashboard");
      expect(codeOf(await post(dashboard, `/runs/${runId}/retry`))).toBe("STATE_CONFLICT");
      expect(codeOf(await post(dashboard, `/runs/${runId}/cancel`))).toBe("STATE_CONFLICT");
    }),
  );

  test(
    "cancels a run",
    withDashboard(async ({ dashboard, deployment }) => {
      const plan = { plan_id: "long", version: "1", phases: [{ id: "a", command: "sleep", args: ["60"] }] };
      const runId = await deployment.submit(plan);
      const answer = await post(dashboard, `/runs/${runId}/cancel`);
      expect([answer.status, ActionResultSchema.parse(answer.body).run_id]).toEqual([200, runId]);
      expect((await deployment.ended(runId)).status).toBe("cancelled");
      const journal = await deployment.journal(runId);
      expect(journal.find(({ event }) => event === "run_cancelled")).toMatchObject({
        message: expect.stringMatching(/^run cancelled by dashboard after /),
        data: { actor: "dashboard" },
      });
      expect(codeOf(await post(dashboard, `/runs/${runId}/retry`))).toBe("STATE_CONFLICT");
    }),
  );
});

describe("artifacts and pools of the API", () => {
  test(
    "lists and hands out artifacts, and lets no browser run them",
    withDashboard(async ({ dashboard, deployment }) => {
      const html = "<html><script>alert(1)</script></html>";
      const plan = {
        plan_id: "files",
        version: "1",
        phases: [
          { id: "page", command: `printf '%s' '${html}'`, shell: true },
          { id: "data", command: `echo '{"a": 1}'`, shell: true },
          { id: "bytes", command: "printf '\\000\\001'", shell: true },
        ],
      };
      const runId = await deployment.submit(plan);
      expect((await deployment.ended(runId)).status).toBe("succeeded");
      const { body } = await ask(dashboard, `/runs/${runId}/artifacts`);
      const artifacts = ArtifactDocumentSchema.array().parse(body);
      const types = new Map(artifacts.map(({ phase, media_type }) => [phase, media_type]));
      expect(Object.fromEntries(types)).toEqual({
        page: "text/plain",
        data: "application/json",
        bytes: "application/octet-stream",
      });
      const get = async (phase: string, query = ""): Promise<Response> => {
        const name = artifacts.find((artifact) => artifact.phase === phase)?.name;
        return fetch(`${dashboard.url}/api/v1/runs/${runId}/artifacts/${phase}/${name}${query}`);
      };
      const page = await get("page");
      expect(await page.text()).toBe(html);
      expect(page.headers.get("content-type")).toBe("text/plain; charset=utf-8");
      expect(page.headers.get("x-content-type-options")).toBe("nosniff");
      expect(page.headers.get("content-security-policy")).toContain("sandbox");
      expect((await get("page", "?download=1")).headers.get("content-disposition")).toContain("attachment");
      expect((await get("bytes")).headers.get("content-disposition")).toContain("attachment");
      expect(await (await get("data", "?limit=4")).text()).toBe('{"a"');
      for (const path of ["page/..%2f..%2fetc%2fpasswd", "page/none", "..%2f../x", "%00/x"]) {
        expect((await ask(dashboard, `/runs/${runId}/artifacts/${path}`)).status).toBeGreaterThanOrEqual(400);
      }
    }),
  );

  test(
    "names the workers of each pool",
    withDashboard(async ({ dashboard, deployment }) => {
      await deployment.run(COMPILE_PLAN);
      const pools = PoolSchema.array().parse((await ask(dashboard, "/pools")).body);
      expect(pools).toMatchObject([{ pool: "default", workers: 1 }]);
      const workers = WorkerSchema.array().parse((await ask(dashboard, "/workers")).body);
      expect(workers).toMatchObject([
        { name: "worker-1", pools: ["default"], concurrency: 4, slots: 4, is_draining: false },
      ]);
      expect(codeOf(await post(dashboard, "/workers/nobody/drain"))).toBe("NOT_FOUND");
      const drained = await post(dashboard, "/workers/worker-1/drain");
      expect(DrainedSchema.parse(drained.body)).toEqual({ worker: "worker-1", is_draining: true });
      await deployment.worker(0).draining;
      await eventually(async () => WorkerSchema.array().parse((await ask(dashboard, "/workers")).body).length === 0);
    }),
  );
});
