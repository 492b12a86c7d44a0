import { expect, test } from "vitest";
import { inDeployment, parseRun } from "./site.ts";

const PLAN = `plan_id: greet
version: "1.0"
description: Say hello
variables:
  NAME: { required: true }
stages:
  - { id: first, phases: [{ id: greet, command: echo, args: ["hello, \${NAME}"] }] }
  - { id: second, phases: [{ id: wave, command: echo, args: [waving] }] }
  - { id: third, phases: [{ id: leave, handler: leave.mjs }] }
`;

const CLIENT = `
import { createClient } from "fanfold";
const client = await createClient();
const { runId } = await client.submit(
  { template: "hello@1.0" },
  { variables: { NAME: "client" }, exclude: ["second"], runId: "of-client" },
);
const end = AbortSignal.timeout(20_000);
for await (const line of client.follow(runId, { signal: end })) if (line.event === "run_succeeded") break;
await client.close();
console.log("ended");
`;

test(
  "templates are added, shown, run with variables and without some stages, and removed",
  inDeployment(async (deployment) => {
    const { desk } = deployment;
    await desk.write("plans/plan.yaml", PLAN);
    await desk.write("plans/broken.yaml", `${PLAN}fases: []\n`);
    // what a template names is looked for from the top of the workspace, wherever its file was
    await desk.write("leave.mjs", "export default () => 'bye';");

    const broken = await desk.run("template", "add", "plans/broken.yaml");
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('unknown key "fases"')]);
    expect(await desk.read("template", "add", "plans/plan.yaml", "--name", "hello")).toBe("added hello@1.0\n");
    await desk.write("plans/plan.yaml", PLAN.replace("hello,", "hi,"));
    const changed = await desk.run("template", "add", "plans/plan.yaml", "--name", "hello");
    expect([changed.code, changed.stderr]).toEqual([
      5,
      expect.stringContaining("hello@1.0 is there with another plan"),
    ]);

    const listed: { name: string; is_built_in: boolean }[] = JSON.parse(await desk.read("template", "ls", "--json"));
    expect(listed.map(({ name, is_built_in }) => [name, is_built_in])).toEqual([
      ["plan-dev-test-verify", true],
      ["dev-test", true],
      ["map-reduce", true],
      ["safe-merge", true],
      ["hello", false],
    ]);
    expect(await desk.read("template", "show", "hello")).toBe(PLAN);
    expect(JSON.parse(await desk.read("template", "show", "hello@1.0", "--json"))).toMatchObject({
      description: "Say hello",
      versions: ["1.0"],
      variables: { NAME: { required: true } },
    });

    const unknown = await desk.run("submit", "--template", "helo");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean "hello"?')]);
    const open = await desk.run("submit", "--template", "hello");
    expect([open.code, open.stderr]).toEqual([
      2,
      expect.stringMatching(/template hello@1\.0:5:3: .* variable NAME has no value/),
    ]);

    const checked = await desk.run("validate", "--template", "hello", "--json");
    expect([checked.code, JSON.parse(checked.stdout)]).toMatchObject([2, { problems: [{ code: "MISSING_VARIABLE" }] }]);
    const drawn = await desk.read("graph", "--template", "hello@1.0", "--var", "NAME=you", "--exclude", "second");
    expect([drawn.includes("greet"), drawn.includes("wave")]).toEqual([true, false]);
    const elsewhere = ["--redis", "redis://127.0.0.1:1", "--var", "DEV=make", "--var", "TEST=make test"];
    expect(await desk.read("explain", "--template", "dev-test", ...elsewhere)).toContain("dev");
    expect((await desk.run("explain", "plans/plan.yaml", "--template", "dev-test")).code).toBe(2);

    const ended = await desk.read("run", "--template", "hello", "--var", "NAME=you", "--exclude", "second", "--json");
    const run = parseRun(ended);
    expect(run.phases.map(({ phase, status }) => [phase, status])).toEqual([
      ["greet", "succeeded"],
      ["leave", "succeeded"],
    ]);

    await deployment.startScheduler();
    await deployment.startWorker(desk);
    await desk.write("client.mjs", CLIENT);
    expect((await desk.startScript("client.mjs").ended()).stdout).toBe("ended\n");
    expect((await desk.status("of-client")).phases).toHaveLength(2);
    expect(await desk.read("template", "rm", "hello")).toBe("removed hello@1.0\n");
    expect((await desk.run("template", "rm", "hello")).code).toBe(2);
  }),
);
