import { GivenApprovalSchema, RunDetailSchema, RunListSchema } from "@fanfold/schemas";
import { eventually } from "@fanfold/testkit";
import { expect, test } from "vitest";
import { ask, codeOf, post } from "./api-client.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();

const PLAN = {
  plan_id: "release",
  version: "1",
  phases: [
    { id: "review", approval: "Ship it?" },
    { id: "ship", command: "true", depends_on: ["review"] },
  ],
};

test(
  "lists runs that wait for a person, and takes one answer, with a comment and the name of who gave it",
  withDashboard(async ({ dashboard, deployment }) => {
    const runId = await deployment.submit(PLAN);
    const asking = async () => RunListSchema.parse((await ask(dashboard, "/runs?status=asking")).body).runs;
    await eventually(async () => (await asking()).length === 1);
    expect(await asking()).toMatchObject([{ run_id: runId, status: "running", waiting_approvals: 1 }]);
    const { body } = await ask(dashboard, `/runs/${runId}`);
    const [review] = RunDetailSchema.parse(body).phases;
    expect(review).toMatchObject({ status: "running", approval: { message: "Ship it?", until_ms: null } });

    const path = `/runs/${runId}/phases/review/approve`;
    expect(codeOf(await post(dashboard, path, { approved: "yes" }))).toBe("INVALID_REQUEST");
    expect(codeOf(await post(dashboard, path, { approved: true, comment: "x".repeat(2_001) }))).toBe("INVALID_REQUEST");
    expect(codeOf(await post(dashboard, `/runs/${runId}/phases/ship/approve`, { approved: true }))).toBe(
      "INVALID_REQUEST",
    );
    expect(codeOf(await post(dashboard, path, { approved: true, revision: 2 }))).toBe("STATE_CONFLICT");
    const given = await post(dashboard, path, { approved: true, comment: "fine", revision: 1 });
    expect(GivenApprovalSchema.parse(given.body)).toMatchObject({ phase: "review", approved: true });
    const late = await post(dashboard, path, { approved: false });
    expect([late.status, codeOf(late)]).toEqual([409, "STATE_CONFLICT"]);
    expect((await deployment.ended(runId)).status).toBe("succeeded");
    expect(await asking()).toEqual([]);
    const told = (await deployment.journal(runId)).find(({ event }) => event === "approval_given");
    expect(told).toMatchObject({
      message: "review was approved by dashboard: fine",
      data: { approved: true, comment: "fine", actor: "dashboard" },
    });
  }),
);
