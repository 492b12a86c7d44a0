import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { COMPILE_PLAN, useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

describe("the web page", () => {
  test(
    "starts a run, shows it live, opens the log of the shard that fails, and turns green after a retry",
    withDashboard(async (watched) => {
      const { page, troubles } = await openPage(browser, `${watched.dashboard.url}/new`);
      await page.getByLabel("Plan, YAML or JSON").fill(JSON.stringify({ ...COMPILE_PLAN, nonsense: 1 }));
      await page.getByText("1 problem.", { exact: true }).waitFor();
      await page.getByLabel("Plan, YAML or JSON").fill(JSON.stringify(COMPILE_PLAN));
      await page.getByRole("button", { name: "Start the run" }).click();
      await page.getByRole("group", { name: "Actions" }).getByRole("button", { name: "Retry all failed" }).waitFor();

      await page.getByLabel("compile, failed").waitFor(); // its node in the graph
      await page.reload();
      await page.getByRole("button", { name: "Show log" }).click();
      const log = page.getByRole("log", { name: "Lines of the log" });
      await log.getByText("compiling 3").waitFor();
      await log.getByText("rules.txt: No such file").waitFor();
      await page.getByRole("tab", { name: "Timeline" }).click();
      await page.getByRole("button", { name: "[3]", exact: true }).waitFor();
      await page.getByRole("tab", { name: "Phases" }).click();
      await page.getByLabel("Status of shards").selectOption("failed");
      await page.getByLabel("Mark shard 3").waitFor();

      await writeFile(join(watched.deployment.dir, "rules.txt"), "rules\n");
      await page.getByRole("button", { name: "Retry all failed" }).click();
      const dialog = page.getByRole("dialog", { name: "Retry all failed" });
      await dialog.getByText(/^fanfold retry run_/).waitFor();
      await dialog.getByRole("button", { name: "Retry all failed" }).click();
      await page.locator(".run-header .status-succeeded").first().waitFor();
      await log.getByText("rules", { exact: true }).waitFor();

      expect(troubles).toEqual([]); // before Bull Board, which asks for a font that it does not get
      await page.getByRole("link", { name: "Job in Bull Board" }).click();
      const back = await page.locator('a[href$="/phases/compile/shards/3"]').first().getAttribute("href");
      await page.goto(`${watched.dashboard.url}${back}`);
      await page.getByRole("heading", { name: "compile[3]" }).waitFor();
      await page.getByRole("link", { name: "Runs", exact: true }).first().click();
      await page.getByRole("table", { name: "Runs" }).getByText("succeeded", { exact: true }).waitFor();
      await page.close();
    }),
    120_000, // many pages, on a busy machine
  );

  test(
    "shows what a log, a plan and a run are called as text",
    withDashboard(async (watched) => {
      const evil = "<img src=x onerror=document.title='evil'>";
      await watched.deployment.run({
        plan_id: "evil",
        version: "1",
        metadata: { tags: [evil] },
        phases: [{ id: "a", command: "echo", args: [evil] }],
      });
      const { page, troubles } = await openPage(browser, watched.dashboard.url);
      await page.getByRole("table", { name: "Runs" }).getByText(evil).waitFor();
      await page.getByRole("table", { name: "Runs" }).getByRole("link", { name: /^evil/ }).click();
      await page.getByLabel("a, succeeded").click();
      await page.getByRole("button", { name: "[0]" }).click();
      await page.getByRole("log", { name: "Lines of the log" }).getByText(evil).waitFor();
      expect(await page.title()).toBe("Fanfold");
      expect(troubles).toEqual([]);
      await page.close();
    }),
  );
});
