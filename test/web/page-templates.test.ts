import { TemplateAddedSchema } from "@fanfold/schemas";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { post } from "./api-client.ts";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** A template of the deployment; each version greets in its own way. */
function greetPlan(version: string): object {
  return {
    plan_id: "greet",
    version,
    description: "Greet somebody",
    variables: {
      NAME: { required: true, description: "who is greeted" },
      TIMES: { type: "number", default: 1 },
      TONE: { type: "enum", values: ["warm", "cold"], default: "warm" },
    },
    phases: [
      { id: "hello", command: "echo", args: [`v${version} \${TONE} hello \${NAME} x\${TIMES}`] },
      { id: "wave", command: "true", depends_on: ["hello"] },
    ],
  };
}

test(
  "starts a run from a template: asks for its variables, says what is wrong where it is, and shows the command",
  withDashboard(async ({ dashboard, deployment }) => {
    for (const version of ["1", "2"]) {
      TemplateAddedSchema.parse((await post(dashboard, "/templates", { plan: greetPlan(version) })).body);
    }
    const { page, troubles } = await openPage(browser, `${dashboard.url}/new`);
    await page.getByRole("tab", { name: "From a template" }).click();
    await page.getByRole("radio", { name: /^map-reduce/ }).check();
    await page.getByText("2 variables need values: LIST, MAP.").waitFor();
    await page.getByRole("radio", { name: /^greet/ }).check();
    await page.getByLabel("Version").selectOption("1");
    await page.getByText("One variable needs a value: NAME.").waitFor();
    const start = page.getByRole("button", { name: "Start the run" });
    expect(await start.isDisabled()).toBe(true);

    await page.getByLabel("TIMES").fill("many");
    await page.getByText('It cannot be "many": it must be a number').waitFor();
    expect(await page.getByLabel("TIMES").getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("NAME").focus();
    await page.getByLabel("TIMES").fill("3");
    await page.getByText("It needs a value.").waitFor();
    await page.getByLabel("NAME").fill("Ann Lee");
    await page.getByLabel("TONE").selectOption("cold");
    await page.getByText("The plan is valid: 2 phases.").waitFor();
    await page.getByText("Options", { exact: true }).click();
    await page.getByRole("checkbox", { name: "wave" }).check();
    await page.getByLabel("Run id").fill("ann");
    await page.getByText("The plan is valid: 1 phase.").waitFor();
    await page
      .getByText(
        "fanfold submit --template greet@1 --var TIMES=3 --var 'NAME=Ann Lee' --var TONE=cold --exclude wave --run-id ann",
      )
      .waitFor();
    await start.click();
    await page.getByLabel("hello, succeeded").waitFor();
    const phases = await deployment.store.runs.loadPhases("ann");
    expect(phases.get("hello")?.artifacts?.[0]?.inline).toBe("v1 cold hello Ann Lee x3\n");
    expect([...phases.keys()]).toEqual(["hello"]);

    await page.goto(`${dashboard.url}/new?template=greet`);
    await page.getByText("The plan of greet@2").click();
    await page.getByRole("button", { name: "Change a copy of it" }).click();
    expect(await page.getByLabel("Plan, YAML or JSON").inputValue()).toContain('"version": "2"');
    const name = page.getByLabel("NAME");
    await name.pressSequentially("Ann");
    await name.press("Enter"); // does nothing in a text of one line
    await name.press("Shift+Enter");
    await name.pressSequentially("Bob");
    await page.getByText("Options", { exact: true }).click();
    await page.getByRole("checkbox", { name: "wave" }).check();
    await page.getByText("The plan is valid: 1 phase.").waitFor();
    await page.getByText("fanfold submit plan.json --var 'NAME=Ann\nBob' --exclude wave").waitFor();
    await start.click();
    await page.getByLabel("hello, succeeded").waitFor();
    const runId = decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1) ?? "");
    const pasted = await deployment.store.runs.loadPhases(runId);
    expect(pasted.get("hello")?.artifacts?.[0]?.inline).toBe("v2 warm hello Ann\nBob x1\n");
    await page.goto(`${dashboard.url}/new?template=nobody`);
    await page.getByText("there is no template nobody").waitFor();
    expect(troubles).toEqual([]);
    await page.close();
  }),
  60_000,
);

test(
  "adds a template and says what is wrong with it where it is, shows its versions, and removes them",
  withDashboard(async ({ dashboard, deployment }) => {
    const { page, troubles } = await openPage(browser, `${dashboard.url}/templates`);
    const details = page.getByRole("region", { name: /^Template / });
    await details.getByText("built in").waitFor();
    expect(await details.getByRole("button", { name: /^Remove/ }).count()).toBe(0);
    await page.getByRole("link", { name: "Add a template" }).click();
    const plan = page.getByLabel("Plan, YAML or JSON");
    const text = JSON.stringify(greetPlan("1"), null, 2);
    await plan.fill(text.replace('"command": "true"', '"comand": "true"'));
    await page.getByText(/unknown key "comand"/i).waitFor();
    expect(await page.getByRole("button", { name: /^\d+:\d+$/ }).count()).toBeGreaterThan(0);
    const add = page.getByRole("button", { name: "Add the template" });
    expect(await add.isDisabled()).toBe(true);
    await plan.fill(text);
    await page.getByText("The plan is valid: 2 phases.").waitFor();
    await page.getByLabel("Name of the template").fill("welcome");
    await page.getByText("fanfold template add plan.json --name welcome").waitFor();
    await add.click();
    await page.getByText("added welcome@1").waitFor();

    await details.getByRole("button", { name: "Change a copy of it" }).click();
    await plan.fill((await plan.inputValue()).replace("Greet somebody", "Greet nobody"));
    await page.getByText("The plan is valid: 2 phases.").waitFor();
    await add.click();
    await page.getByRole("alert").getByText("welcome@1 is there with another plan").waitFor();
    await plan.fill(JSON.stringify(greetPlan("2")));
    await add.click();
    const versions = details.getByRole("table", { name: "Versions" });
    await versions.getByRole("link", { name: "2" }).waitFor();
    await versions.getByRole("link", { name: "1" }).click();
    await details.getByText("The plan of welcome@1").waitFor();
    const dialog = page.getByRole("dialog");
    await versions.getByRole("row", { name: /^1/ }).getByRole("button", { name: "Remove" }).click();
    await dialog.getByText("fanfold template rm welcome@1").waitFor();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("removed welcome@1").waitFor();
    await details.getByText("The plan of welcome@2").waitFor();
    await versions.getByRole("button", { name: "Remove" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("removed welcome@2").waitFor();
    await page.getByRole("list", { name: "Templates" }).getByText("welcome").waitFor({ state: "detached" });
    expect(await deployment.store.templates.list()).toEqual([]);
    expect(troubles).toEqual([]);
    await page.close();
  }),
  60_000,
);
