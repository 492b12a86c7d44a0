import {
  PlanCheckSchema,
  SubmitResultSchema,
  TemplateAddedSchema,
  TemplateDetailSchema,
  TemplateDocumentSchema,
} from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { type Answer, ask, codeOf, post } from "./api-client.ts";
import { useDashboards } from "./with-dashboard.ts";
import { withService } from "./with-service.ts";

const withDashboard = useDashboards();

/** A plan that greets somebody who has to be named, and waves. */
function greetPlan(version: string): string {
  return `# kept as it is
plan_id: greet
version: "${version}"
description: Greet somebody
variables:
  NAME: { required: true, description: who is greeted }
  TONE: { type: enum, values: [warm, cold], default: warm }
phases:
  - { id: hello, command: echo, args: ["\${TONE} hello \${NAME}"] }
  - { id: wave, command: "true", depends_on: [hello] }
`;
}

describe("templates of the API", () => {
  test(
    "are added, listed, shown with what a form needs, and removed",
    withDashboard(async ({ dashboard }) => {
      const add = (fields: object): Promise<Answer> => post(dashboard, "/templates", fields);
      const first = await add({ plan_text: greetPlan("1") });
      expect([first.status, TemplateAddedSchema.parse(first.body)]).toEqual([
        201,
        { name: "greet", version: "1", is_new: true, warnings: [] },
      ]);
      expect((await add({ plan_text: greetPlan("1") })).status).toBe(200);
      expect((await add({ plan_text: greetPlan("2") })).status).toBe(201);
      const data = { plan_id: "p", version: "1", phases: [{ id: "a", command: "true" }] };
      expect((await add({ plan: data, name: "as-data" })).status).toBe(201);

      const listed = TemplateDocumentSchema.array().parse((await ask(dashboard, "/templates")).body);
      expect(listed.map(({ name, version, is_built_in }) => [name, version, is_built_in])).toEqual([
        ...["plan-dev-test-verify", "dev-test", "map-reduce", "safe-merge"].map((name) => [name, "1.0", true]),
        ["as-data", "1", false],
        ["greet", "2", false],
        ["greet", "1", false],
      ]);
      const greet = TemplateDetailSchema.parse((await ask(dashboard, "/templates/greet")).body);
      expect(greet).toMatchObject({ version: "2", versions: ["2", "1"], phases: ["hello", "wave"] });
      expect(greet.variables).toMatchObject([
        { name: "NAME", is_required: true, default: null, description: "who is greeted" },
        { name: "TONE", type: "enum", options: ["warm", "cold"], is_required: false, default: "warm" },
      ]);
      const old = TemplateDetailSchema.parse((await ask(dashboard, "/templates/greet?version=1")).body);
      expect(old.plan).toBe(greetPlan("1"));

      const remove = (path: string): Promise<Answer> => ask(dashboard, path, { method: "DELETE" });
      expect(await remove("/templates/greet?version=1")).toEqual({
        status: 200,
        body: { name: "greet", versions: ["1"] },
      });
      expect((await remove("/templates/greet")).body).toEqual({ name: "greet", versions: ["2"] });
      expect((await ask(dashboard, "/templates/greet")).status).toBe(404);
    }),
  );

  test(
    "run with variables and without what is excluded, and say what they lack",
    withDashboard(async ({ dashboard, deployment }) => {
      await post(dashboard, "/templates", { plan_text: greetPlan("1") });
      const order = { template: "greet@1", variables: { NAME: "Ann" }, exclude: ["wave"], run_id: "ann" };
      const check = PlanCheckSchema.parse((await post(dashboard, "/plans/validate", order)).body);
      expect([check.ok, check.phases.map(({ phase }) => phase)]).toEqual([true, ["hello"]]);
      const submitted = await post(dashboard, "/runs", order);
      expect([submitted.status, SubmitResultSchema.parse(submitted.body).run_id]).toEqual([201, "ann"]);
      expect((await deployment.ended("ann")).status).toBe("succeeded");
      const phases = await deployment.store.runs.loadPhases("ann");
      expect(phases.get("hello")?.artifacts?.[0]?.inline).toBe("warm hello Ann\n");
      expect([...phases.keys()]).toEqual(["hello"]);

      const wrong = { template: "greet", variables: { TONE: "loud" } };
      const { ok, problems, variables } = PlanCheckSchema.parse((await post(dashboard, "/plans/validate", wrong)).body);
      expect([ok, variables.length]).toEqual([false, 2]);
      expect(problems.map(({ code, path }) => [code, path])).toEqual([
        ["MISSING_VARIABLE", ["variables", "NAME"]],
        ["BAD_VARIABLE", ["variables", "TONE"]],
      ]);
      expect(codeOf(await post(dashboard, "/runs", wrong))).toBe("INVALID_PLAN");
    }),
  );

  test(
    "are refused where they are not there, built in, not valid, or taken",
    withDashboard(async ({ dashboard }) => {
      const codes = async (...answers: Promise<Answer>[]): Promise<(string | number)[][]> =>
        (await Promise.all(answers)).map((answer) => [answer.status, codeOf(answer)]);
      await post(dashboard, "/templates", { plan_text: greetPlan("1") });
      const other = greetPlan("1").replace("wave", "nod");
      expect(
        await codes(
          ask(dashboard, "/templates/greet?version=9"),
          post(dashboard, "/runs", { template: "gret" }),
          post(dashboard, "/templates", { plan_text: other }),
          post(dashboard, "/templates", { plan_text: other, name: "dev-test" }),
          ask(dashboard, "/templates/dev-test", { method: "DELETE" }),
          ask(dashboard, "/templates/a%20b"),
          post(dashboard, "/templates", { plan_text: other, name: "a b" }),
          post(dashboard, "/templates", { plan_text: "plan_id: x" }),
          post(dashboard, "/templates", { name: "x" }),
          post(dashboard, "/runs", { template: "greet", plan_text: other }),
        ),
      ).toEqual([
        [404, "NOT_FOUND"],
        [404, "NOT_FOUND"],
        [409, "STATE_CONFLICT"],
        [409, "STATE_CONFLICT"],
        [409, "STATE_CONFLICT"],
        [400, "INVALID_REQUEST"],
        [400, "INVALID_REQUEST"],
        [400, "INVALID_PLAN"],
        [400, "INVALID_REQUEST"],
        [400, "INVALID_REQUEST"],
      ]);
    }),
  );

  test(
    "may be looked at by viewers, and changed by operators",
    withDashboard(async ({ deployment }) => {
      await withService(deployment, { tokens: "wall:viewer:fedcba9876543210" }, async (dashboard) => {
        const headers = { authorization: "Bearer fedcba9876543210", "content-type": "application/json" };
        const send = (path: string, method: string, body: object): Promise<Answer> =>
          ask(dashboard, path, { method, headers, body: JSON.stringify(body) });
        expect((await ask(dashboard, "/templates", { headers })).status).toBe(200);
        expect((await ask(dashboard, "/templates/dev-test", { headers })).status).toBe(200);
        expect((await send("/plans/validate", "POST", { template: "dev-test" })).status).toBe(200);
        for (const [path, method, body] of [
          ["/runs", "POST", { template: "dev-test" }],
          ["/templates", "POST", { plan_text: greetPlan("1") }],
          ["/templates/greet", "DELETE", {}],
        ] as const) {
          const answer = await send(path, method, body);
          expect([path, answer.status, codeOf(answer)]).toEqual([path, 403, "FORBIDDEN"]);
        }
      });
    }),
  );
});
