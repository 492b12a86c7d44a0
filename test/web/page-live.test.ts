import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DashboardService } from "@fanfold/dashboard";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { post } from "./api-client.ts";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { SILENT_LOG, useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** Two shards, one at a time; each runs until the file `go` is there, at most half a minute: a failed test has to end, too. */
const SLOW_PLAN = {
  plan_id: "slow",
  version: "1",
  globals: { kill_grace_sec: 0.1 },
  phases: [
    {
      id: "fan",
      command: "for i in $(seq 300); do test ! -e go || exit 0; sleep 0.1; done",
      shell: true,
      max_parallel: 1,
      shard: { strategy: "chunk", over: [1, 2], chunk_size: 1 },
    },
  ],
};

const QUICK_PLAN = { plan_id: "quick", version: "1", phases: [{ id: "a", command: "true" }] };

describe("the page of a run", () => {
  test(
    "pauses, resumes, drains a worker, cancels and removes, and stays right through a reload",
    withDashboard(async ({ dashboard, deployment }) => {
      await post(dashboard, "/runs", { plan: SLOW_PLAN, run_id: "slow" });
      const { page } = await openPage(browser, `${dashboard.url}/runs/slow`);
      await page.getByLabel("fan, running").waitFor();
      const actions = page.getByRole("group", { name: "Actions" });
      await actions.getByRole("button", { name: "Pause" }).click();
      await page.locator(".run-header .status-paused").first().waitFor();
      await page.reload();
      await page.locator(".run-header .status-paused").first().waitFor();
      await actions.getByRole("button", { name: "Resume" }).click();
      await page.locator(".run-header .status-running").first().waitFor();

      await deployment.addWorker();
      await page.goto(`${dashboard.url}/workers`);
      await page
        .getByRole("row", { name: /^worker-1/ })
        .getByRole("link", { name: "fan[0]" })
        .waitFor();
      const row = page.getByRole("row", { name: /^worker-2/ });
      await row.getByRole("button", { name: "Drain" }).click();
      const drain = page.getByRole("dialog", { name: "Drain" });
      await drain.getByText("fanfold worker drain worker-2").waitFor();
      await drain.getByRole("button", { name: "Drain" }).click();
      await deployment.worker(1).draining;
      await row.waitFor({ state: "detached" });

      await page.goto(`${dashboard.url}/runs/slow`);
      await actions.getByRole("button", { name: "Cancel run" }).click();
      const cancel = page.getByRole("dialog", { name: "Cancel run" });
      await cancel.getByText("fanfold cancel slow").waitFor();
      await cancel.getByRole("button", { name: "Cancel run" }).click();
      await page.locator(".run-header .status-cancelled").first().waitFor();
      expect((await deployment.ended("slow")).status).toBe("cancelled");

      await deployment.ended(await deployment.submit(QUICK_PLAN, "quick"));
      await actions.getByRole("button", { name: "Remove run" }).click();
      const remove = page.getByRole("dialog", { name: "Remove run" });
      await remove.getByText("fanfold rm slow").waitFor();
      await remove.getByRole("button", { name: "Remove run" }).click();
      await page.getByText(/^removed slow, with \d+ files? \(.+\) of the artifact store$/).waitFor();
      const runs = page.getByRole("table", { name: "Runs" });
      await runs.getByRole("button", { name: "Remove run quick" }).click();
      await remove.getByRole("button", { name: "Remove run" }).click();
      await page.getByText("No runs yet").waitFor();
      expect(await deployment.store.index.page({ limit: 9 })).toEqual([]);
    }),
  );

  test(
    "recovers by itself from a restart of the dashboard, and misses nothing",
    withDashboard(async ({ dashboard, deployment }) => {
      await post(dashboard, "/runs", { plan: SLOW_PLAN, run_id: "slow" });
      const { page } = await openPage(browser, `${dashboard.url}/runs/slow`);
      await page.getByLabel("fan, running").waitFor();
      const label = page.locator(".run-header .live-label");
      await label.getByText("live", { exact: true }).waitFor();
      const { port } = new URL(dashboard.url);
      await dashboard.stop();
      await label.getByText("connection lost, trying again").waitFor();
      await writeFile(join(deployment.dir, "go"), "");
      expect((await deployment.ended("slow")).status).toBe("succeeded");
      const next = new DashboardService(deployment.engine, { port: Number(port) }, SILENT_LOG);
      try {
        await next.start();
        await page.locator(".run-header .status-succeeded").first().waitFor();
        await label.getByText("live", { exact: true }).waitFor();
        await page.getByLabel("fan, succeeded").waitFor();
      } finally {
        await next.stop();
      }
    }),
  );
});
