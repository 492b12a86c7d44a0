import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { post } from "./api-client.ts";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { COMPILE_PLAN, NOVEL_PLAN, useDashboards, type Watched } from "./with-dashboard.ts";
import { CHEAP_HASH, withService } from "./with-service.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

interface Violation {
  readonly id: string;
  readonly impact?: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Serious and critical violations of a page as it is shown, in light and in dark colours. */
async function listViolations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // colours are all that differs in the dark
    const options = colorScheme === "light" ? "{}" : '{"runOnly": ["color-contrast"]}';
    const results: { violations: Violation[] } = await page.evaluate(`axe.run(document, ${options})`);
    for (const { id, impact, nodes } of results.violations) {
      if (impact !== "serious" && impact !== "critical") continue;
      found.push(...nodes.map(({ html, failureSummary }) => `${colorScheme} ${id}: ${html} ${failureSummary}`));
    }
  }
  return found;
}

/** A failed run, one with a stale phase and two revisions, and one that waits for a person. */
async function prepare({ dashboard, deployment }: Watched): Promise<void> {
  await writeFile(join(deployment.dir, "context.txt"), '{"id":1,"v":"a"}\n');
  await post(dashboard, "/templates", { plan: COMPILE_PLAN });
  await post(dashboard, "/runs", { plan: COMPILE_PLAN, run_id: "zones" });
  await post(dashboard, "/runs", { plan: NOVEL_PLAN, run_id: "novel" });
  await Promise.all(["zones", "novel"].map((run) => deployment.ended(run)));
  await writeFile(join(deployment.dir, "context.txt"), '{"id":1,"v":"b"}\n');
  const asks = { plan_id: "asks", version: "1", phases: [{ id: "review", approval: "Ship it?" }] };
  await post(dashboard, "/runs", { plan: asks, run_id: "asks" });
  await post(dashboard, "/runs/novel/rerun", { phases: ["context"], reach: "only" });
  await deployment.ended("novel");
}

/** Every page and every view of a run, with what shows that it is there. */
const PAGES: readonly [path: string, shown: string, act?: (page: Page) => Promise<void>][] = [
  ["/", "text=zones"],
  ["/workers", "text=worker-1"],
  ["/new", "text=Paste a plan"],
  [
    "/new?template=dev-test",
    "text=2 variables need values",
    async (page) => {
      await page.getByRole("textbox", { name: /^DEV/ }).focus();
      await page.getByRole("textbox", { name: /^ROUNDS/ }).fill("many");
      await page.getByText("It cannot be").waitFor();
      await page.getByText("Options", { exact: true }).click();
      await page.getByText("The plan of").click();
    },
  ],
  ["/templates?name=zones", "text=The plan of zones@1"],
  [
    "/templates?add=1",
    "text=Paste a plan",
    async (page) => {
      await page.getByLabel("Plan, YAML or JSON").fill("plan_id: p");
      await page.getByText(/problems\.$/).waitFor();
    },
  ],
  ["/nowhere", "main"],
  ["/runs/none", "[role=alert]"],
  ["/runs/zones?phase=compile&shard=3", "text=rules.txt: No such file"],
  ["/runs/zones?phase=compile&shard=3&detail=overview", ".drawer"],
  ["/runs/zones?view=timeline&phase=compile", "text=[3]"],
  ["/runs/zones?view=phases&phase=compile", "text=failed"],
  ["/runs/zones?view=events", "text=shard_started"],
  ["/runs/zones/phases/compile/shards/3", "text=rules.txt: No such file"],
  ["/runs/novel?phase=translate", "text=stale: context"],
  ["/runs/novel?view=artifacts&phase=context&detail=revisions", "text=1 removed"],
  ["/runs/novel?phase=context&detail=definition", "pre"],
  ["/runs/asks?phase=review", "text=Approve"],
  [
    "/runs/novel?view=artifacts",
    "text=translate · revision 1",
    async (page) => {
      await page.getByRole("button", { name: "translate", exact: true }).first().click();
      await page.getByRole("columnheader", { name: "id" }).waitFor();
    },
  ],
  ["/runs/zones?view=artifacts&phase=compile&shard=3&detail=artifacts", "text=error context"],
  ["/runs/novel?view=lineage&of=translate&phase=translate", ".lineage-node.is-root"],
  [
    "/runs/novel?view=lineage",
    ".lineage-node",
    async (page) => {
      await page.getByRole("button", { name: "As a list" }).click();
      await page.getByRole("list", { name: "Steps of the lineage" }).waitFor();
    },
  ],
  [
    "/runs/novel?phase=context",
    ".drawer",
    async (page) => {
      await page.getByRole("button", { name: "Rerun…" }).click();
      await page.getByText("asked for").waitFor();
      await page.getByText("With other variables").click();
    },
  ],
  [
    "/runs/zones",
    "text=Retry all failed",
    async (page) => {
      await page.getByRole("button", { name: "Retry all failed" }).click();
      await page.getByRole("dialog").waitFor();
    },
  ],
  [
    "/",
    "text=zones",
    async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").waitFor();
    },
  ],
];

test(
  "no page has a serious or critical violation of accessibility, in light or in dark",
  withDashboard(async (watched) => {
    const { dashboard, deployment } = watched;
    await prepare(watched);
    const { page, troubles } = await openPage(browser, dashboard.url);
    const found: (readonly [string, string[]])[] = [];
    for (const [path, shown, act] of PAGES) {
      await page.goto(`${dashboard.url}${path}`);
      await page.locator(shown).filter({ visible: true }).first().waitFor();
      await act?.(page);
      await page.evaluate(axe.source);
      found.push([path, await listViolations(page)]);
    }
    await withService(deployment, { users: `ann:operator:${CHEAP_HASH}` }, async ({ url }) => {
      await page.goto(url);
      await page.getByRole("form", { name: "Log in" }).waitFor();
      await page.evaluate(axe.source);
      found.push(["login", await listViolations(page)]);
    });
    expect(found.filter(([, violations]) => violations.length > 0)).toEqual([]);
    expect(troubles).toEqual([]);
  }),
  180_000, // many pages, on a busy machine
);
