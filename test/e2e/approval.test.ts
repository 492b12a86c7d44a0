import { expect, test } from "vitest";
import { inWorkspace } from "./site.ts";

const PLAN = {
  plan_id: "release",
  version: "1",
  phases: [
    { id: "build", command: "echo", args: ["built"] },
    { id: "review", approval: "Ship it?", depends_on: ["build"] },
    { id: "ship", command: "cat $FANFOLD_ARTIFACTS/review", shell: true, consumes: ["review"], depends_on: ["review"] },
  ],
};

test(
  "fanfold run waits for a person and says how to answer; fanfold approve lets it go on",
  inWorkspace(async (workspace) => {
    await workspace.write("plan.json", PLAN);
    const run = workspace.start("run", "plan.json", "--run-id", "r1");
    await run.printed(/review waits for an approval: Ship it\?; to give it: fanfold approve r1 review/);
    expect(await workspace.read("status", "r1")).toContain("to approve: fanfold approve r1 review");
    expect(await workspace.read("why", "r1", "review")).toContain("fanfold approve r1 review");

    const early = await workspace.run("approve", "r1", "ship");
    expect([early.code, early.stderr]).toEqual([2, expect.stringContaining("does not wait for an approval")]);
    expect(await workspace.read("approve", "r1", "review", "--comment", "well done")).toBe(
      "review of r1 is approved\n",
    );
    const { code, stderr } = await run.ended();
    expect([code, stderr]).toEqual([0, expect.stringContaining("review was approved by cli: well done")]);
    const again = await workspace.run("approve", "r1", "review", "--reject");
    expect([again.code, again.stderr]).toEqual([5, expect.stringContaining("review was approved already by cli")]);
    const output = JSON.parse(await workspace.read("artifacts", "cat", "r1", "review"));
    expect(output).toMatchObject({ approved: true, comment: "well done", by: "cli" });
  }),
);
