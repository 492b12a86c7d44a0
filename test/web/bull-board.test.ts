import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jobIds, shardQueue } from "@fanfold/store";
import { eventually } from "@fanfold/testkit";
import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "./open-browser.ts";
import { COMPILE_PLAN, useDashboards, type Watched } from "./with-dashboard.ts";

const withDashboard = useDashboards();
const SHARDS = shardQueue("default");
const RETRY_BUTTON = "button:has(svg.lucide-refresh-cw)";

let browser: Browser | undefined;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** A page of the dashboard, and the requests that left for elsewhere. */
async function openPage({ dashboard }: Watched, path = ""): Promise<{ page: Page; strays: string[] }> {
  if (browser === undefined) throw new Error("the browser is not up");
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const strays: string[] = [];
  const watch = (request: Request): void => {
    const outcome = request.failure()?.errorText ?? "answered";
    if (!request.url().startsWith(dashboard.url) && outcome !== "csp") strays.push(`${request.url()}: ${outcome}`);
  };
  page.on("requestfinished", watch);
  page.on("requestfailed", watch);
  await page.goto(`${dashboard.url}/queues${path}`);
  return { page, strays };
}

/** Runs the plan without rules.txt, which fails shard 3. */
async function failRun({ deployment }: Watched): Promise<{ runId: string; jobId: string }> {
  const { run_id: runId, status } = await deployment.run(COMPILE_PLAN);
  expect(status).toBe("failed");
  return { runId, jobId: jobIds.shard(runId, { phase: "compile", revision: 1, shard: 3 }) };
}

/** The journal's events, once the run has succeeded. */
async function succeeded({ deployment }: Watched, runId: string): Promise<string[]> {
  await eventually(async () => {
    const { status } = await deployment.store.runs.get(runId);
    if (status !== "succeeded") throw new Error(`${status}: ${await deployment.story(runId)}`);
  });
  return (await deployment.journal(runId)).map(({ event }) => event);
}

describe("Bull Board", () => {
  test(
    "shows each queue, with its jobs by name and their output, and asks nobody but the dashboard",
    withDashboard(async (watched) => {
      const { jobId } = await failRun(watched);
      const { page, strays } = await openPage(watched);
      for (const name of [SHARDS, "aggregate", "scheduler", "gates"]) {
        await page.getByRole("link", { name, exact: true }).first().waitFor();
      }
      await page.goto(`${watched.dashboard.url}/queues/queue/${SHARDS}?status=failed`);
      await page.getByText("compile[3/11]", { exact: true }).waitFor();
      await page.goto(`${watched.dashboard.url}/queues/queue/${SHARDS}/${jobId}`);
      await page.getByText("Logs", { exact: true }).click();
      await page.getByText("compiling 3").waitFor();
      await page.getByText("rules.txt: No such file").first().waitFor();
      expect(strays).toEqual([]);
      await page.close();
    }),
  );

  test(
    "carries a failed run on when somebody clicks retry on its failed job",
    withDashboard(async (watched) => {
      const { runId, jobId } = await failRun(watched);
      await writeFile(join(watched.deployment.dir, "rules.txt"), "rules\n");
      const { page } = await openPage(watched, `/queue/${SHARDS}/${jobId}?status=failed`);
      await page.getByText("compile[3/11]", { exact: true }).first().waitFor();
      await page.locator(RETRY_BUTTON).click();
      await page.getByRole("button", { name: "Confirm" }).click();
      const events = await succeeded(watched, runId);
      expect(events).toContain("run_reopened");
      expect(events.at(-1)).toBe("run_succeeded");
      const phases = await watched.deployment.store.runs.loadPhases(runId);
      const lines = Array.from({ length: 11 }, (_, n) => (n === 3 ? "compiling 3\nrules\n" : `compiling ${n}\n`));
      expect(phases.get("compile")?.artifacts?.[0]?.inline).toBe(lines.join(""));
      await page.close();
    }),
  );

  test(
    "tells why it does not clean, and nothing is gone",
    withDashboard(async (watched) => {
      const { jobId } = await failRun(watched);
      const { page } = await openPage(watched, `/queue/${SHARDS}?status=failed`);
      await page.getByRole("button", { name: "Clean all" }).click();
      await page.getByRole("button", { name: "Confirm" }).click();
      await page.getByText("removing jobs would release the aggregate").waitFor();
      const job = await watched.deployment.store.queues.queue(SHARDS).getJob(jobId);
      expect(await job?.getState()).toBe("failed");
      await page.close();
    }),
  );
});
