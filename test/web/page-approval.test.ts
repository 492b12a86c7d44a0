import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

const PLAN = {
  plan_id: "release",
  version: "1",
  phases: [
    { id: "build", command: "echo", args: ["built"] },
    { id: "review", approval: "<b>Ship it?</b>", depends_on: ["build"], provides: ["answer"] },
    { id: "ship", command: "true", depends_on: ["review"] },
  ],
};

test(
  "shows who is waited for, takes a rejection and, after a retry, an approval with its comment",
  withDashboard(async ({ dashboard, deployment }) => {
    await deployment.submit(PLAN, "release-1");
    const { page, troubles } = await openPage(browser, `${dashboard.url}/?status=asking`);
    const row = page.getByRole("row", { name: /release-1/ });
    await row.getByText("waits for approval").waitFor();
    await row.getByRole("link", { name: /release-1/ }).click();

    await page.getByLabel("review, waits for approval").waitFor();
    await page.getByText("review waits for an approval: <b>Ship it?</b>").waitFor();
    await page.getByRole("button", { name: "Answer" }).click();
    const form = page.getByRole("region", { name: "Approval" });
    await form.getByLabel("Comment").fill("not yet");
    await form.getByText("fanfold approve release-1 review --comment 'not yet'").waitFor();
    await form.getByRole("button", { name: "Reject", exact: true }).click();
    const details = page.getByRole("complementary", { name: "Details" });
    await details.getByText("rejected by dashboard: not yet").waitFor();
    expect((await deployment.ended("release-1")).status).toBe("failed");

    await deployment.engine.retry("release-1", {}, "test");
    await form.getByLabel("Comment").fill("now");
    await form.getByRole("button", { name: "Approve", exact: true }).click();
    await page.locator(".run-header .status-succeeded").first().waitFor();
    expect(await form.count()).toBe(0);
    await details.getByRole("tab", { name: "Events" }).click();
    await details.getByText("review was approved by dashboard: now").waitFor();
    await details.getByRole("tab", { name: "Artifacts" }).click();
    await details.getByText("answer").first().waitFor();
    expect(troubles).toEqual([]);
  }),
  60_000,
);
