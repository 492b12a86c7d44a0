import type { PlanInput } from "@fanfold/schemas";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "./api-client.ts";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

const REQUEST = JSON.stringify({
  type: "spawn",
  phase: "dev",
  key: "fix",
  regression_context: { reason: "4 is written <b>IIII</b>" },
});

/** `test` spawns `dev`, which waits for the file `go`. */
const PLAN: PlanInput = {
  plan_id: "loop",
  version: "1",
  phases: [
    { id: "dev", command: "until [ -e go ]; do sleep 0.02; done", shell: true, enabled: false, spawnable: true },
    {
      id: "test",
      command: `if [ $FANFOLD_SPAWN_ROUND = 0 ]; then echo '${REQUEST}' >> $FANFOLD_EVENTS; fi`,
      shell: true,
      max_spawned: 2,
    },
  ],
};

test(
  "a shard that waits for what it spawned says so, and what was spawned says by whom and why",
  withDashboard(async ({ dashboard, deployment }) => {
    await deployment.submit(PLAN, "loop");
    const { page, troubles } = await openPage(browser, `${dashboard.url}/runs/loop`);
    const drawer = page.getByRole("complementary", { name: "Details" });
    const node = page.getByRole("group", { name: "test, running" });
    await node.getByText("waits for 1 spawned").waitFor();
    await node.click();
    await drawer.getByText("spawned", { exact: true }).first().waitFor();
    const children = drawer.getByRole("list", { name: "Spawned phases" });
    await children.getByText("by [0], attempt 1: 4 is written <b>IIII</b>").waitFor();
    const answer = await ask(dashboard, "/runs/loop/phases/test/shards?status=spawned");
    expect(answer.body).toMatchObject({ total: 1, shards: [{ shard: 0, status: "spawned" }] });

    await children.getByRole("link", { name: /^dev fix/ }).click();
    await drawer.getByText("attempt 1: 4 is written <b>IIII</b>").waitFor();
    await drawer.getByRole("link", { name: "test[0]" }).click();
    await drawer.locator(".status-spawned").first().waitFor();
    await children.getByText("(running)").waitFor();

    await writeFile(join(deployment.dir, "go"), "");
    await page.locator(".run-header .status-succeeded").first().waitFor();
    await children.getByText("(succeeded)").waitFor();
    await drawer.locator(".status-succeeded").first().waitFor();
    expect(troubles).toEqual([]);
  }),
  60_000,
);
