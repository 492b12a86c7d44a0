import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { post } from "./api-client.ts";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { NOVEL_PLAN, useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

test(
  "previews a rerun, shows what is stale and why, brings the run up to date, and compares revisions",
  withDashboard(async ({ dashboard, deployment }) => {
    const context = join(deployment.dir, "context.txt");
    await writeFile(context, '{"id":1,"v":"a"}\n{"id":2,"v":"b"}\n');
    await post(dashboard, "/runs", { plan: NOVEL_PLAN, run_id: "novel" });
    await deployment.ended("novel");
    await writeFile(context, '{"id":1,"v":"a"}\n{"id":2,"v":"c"}\n{"id":3,"v":"d"}\n');

    const { page, troubles } = await openPage(browser, `${dashboard.url}/runs/novel`);
    await page.getByLabel("context, succeeded").click();
    await page.getByRole("button", { name: "Rerun…" }).click();
    const dialog = page.getByRole("dialog", { name: "Rerun context" });
    const preview = dialog.getByRole("region", { name: "Preview" });
    await preview.getByText("asked for").waitFor();
    await dialog.getByRole("radio", { name: /^And what becomes stale/ }).check();
    await preview.getByText("it depends on translate; kept if its inputs are the same").waitFor();
    await dialog.getByText("fanfold rerun novel --phase context --stale").waitFor();
    expect(await deployment.story("novel")).not.toContain("phase_rerun");
    await dialog.getByRole("radio", { name: /^Only this phase/ }).check();
    await preview.getByText("revision 1").first().waitFor();
    await dialog.getByRole("button", { name: "Run 1 phase", exact: true }).click();

    // the details took room from the graph, which was fitted again: it draws only what is in sight
    await page.getByLabel("translate, succeeded, stale").click();
    const details = page.getByRole("complementary", { name: "Details" });
    await details.getByText("stale: context r1 → r2").waitFor();
    await page.getByText("2 phases are stale").waitFor();
    await page.getByRole("button", { name: "Bring up to date…" }).click();
    const update = page.getByRole("dialog", { name: "Bring up to date" });
    await update.getByText("With other variables").click();
    await update.getByLabel("TITLE").fill("Coffee");
    await update.getByText("its definition has changed: work").waitFor();
    await update.getByRole("button", { name: "Run 1 to 2 phases" }).click();
    await page.getByText("2 phases are stale").waitFor({ state: "detached" });
    await page.locator(".run-header .status-succeeded").first().waitFor();

    await details.getByRole("tab", { name: "Revisions" }).click();
    await details.getByText("1 added").waitFor();
    await details.getByText('+ v: "c"').waitFor();
    await details.getByLabel("New revision").selectOption("1");
    await details.getByText("The outputs are the same.").waitFor();

    await page.getByRole("tab", { name: "Artifacts" }).first().click();
    const list = page.getByRole("group", { name: "List of artifacts" });
    await list.getByText("publish · revision 2").first().waitFor();
    await page.getByLabel("Revision of artifacts").selectOption("revision 1");
    await list.getByText("publish · revision 2").first().waitFor({ state: "detached" });
    await list.getByText("publish · revision 1").first().waitFor();
    expect(troubles).toEqual([]);
  }),
  60_000,
);
