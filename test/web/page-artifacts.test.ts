import type { PlanInput } from "@fanfold/schemas";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { useDashboards, type Watched } from "./with-dashboard.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

const MARK = "document.title='evil'";
const HTML = `<html><body onload="${MARK}"><script>${MARK}</script></body></html>`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20" onload="${MARK}"><script>${MARK}</script><rect width="30" height="20" fill="red"/></svg>`;
const EVIL_NAME = `<img src=x onerror=${MARK}>.html`;
const FILES: Readonly<Record<string, string | Buffer>> = {
  [EVIL_NAME]: HTML,
  "drawing.svg": SVG,
  "fake.png": HTML,
  "data.bin": Buffer.from([0, 1, 2, 255]),
  "big.txt": "0123456789abcde\n".repeat(20_000),
  "people.jsonl": '{"name":"Ann","tags":["a","b"]}\n{"name":"<b>Bob</b>","age":3}\n',
  "doc.json": '{"a":{"b":1}}',
};

/** `page` makes all of the files, `check` reads its output. */
const PLAN: PlanInput = {
  plan_id: "site",
  version: "1",
  phases: [
    {
      id: "page",
      command: "printf hello",
      shell: true,
      collect: { files: Object.keys(FILES).map((name) => (name === EVIL_NAME ? "*.html" : name)) },
    },
    { id: "check", command: 'cat "$FANFOLD_ARTIFACTS/page"', shell: true, depends_on: ["page"], consumes: ["page"] },
  ],
};

async function prepare({ deployment }: Watched): Promise<void> {
  await Promise.all(Object.entries(FILES).map(([name, bytes]) => writeFile(join(deployment.dir, name), bytes)));
  const runId = await deployment.submit(PLAN, "site");
  expect((await deployment.ended(runId)).status).toBe("succeeded");
}

/** Shows an artifact in the drawer, and goes back to the list. */
async function show(page: Page, name: string, look: () => Promise<void>): Promise<void> {
  await page.getByRole("group", { name: "List of artifacts" }).getByRole("button", { name, exact: true }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
  await look();
}

describe("artifacts on the page", () => {
  test(
    "are shown as text, tables and pictures, and none of them is run",
    withDashboard(async (watched) => {
      await prepare(watched);
      const { page, troubles } = await openPage(browser, `${watched.dashboard.url}/runs/site?view=artifacts`);
      const drawer = page.getByRole("complementary", { name: "Details" });
      await page.getByRole("group", { name: "List of artifacts" }).getByText("doc.json").waitFor();
      const preview = drawer.getByLabel("Preview", { exact: true });

      await show(page, EVIL_NAME, async () => {
        await preview.waitFor();
        await expect.poll(() => preview.textContent()).toBe(HTML);
      });
      await show(page, "drawing.svg", async () => {
        const picture = drawer.getByRole("img", { name: "Preview of drawing.svg" });
        await picture.waitFor();
        await page.waitForFunction(`document.querySelector(".artifact-image").naturalWidth === 30`);
        expect(await picture.getAttribute("src")).toMatch(/^data:image\/svg\+xml/);
        await drawer.getByRole("button", { name: "As it is" }).click();
        await expect.poll(() => preview.textContent()).toBe(SVG);
      });
      await show(page, "fake.png", () => drawer.getByText("Not a picture").waitFor());
      await show(page, "data.bin", () => drawer.getByText("This is not text. It can be downloaded.").waitFor());
      await show(page, "big.txt", async () => {
        await drawer.getByText("The first 256.0 KiB of 312.5 KiB").waitFor();
        expect((await preview.textContent())?.length).toBe(262_144);
      });
      await show(page, "people.jsonl", async () => {
        await drawer.getByRole("columnheader", { name: "tags" }).waitFor();
        await drawer.getByRole("cell", { name: "<b>Bob</b>" }).waitFor();
      });
      await show(page, "doc.json", async () => {
        await preview.waitFor();
        await expect.poll(() => preview.textContent()).toBe('{\n  "a": {\n    "b": 1\n  }\n}');
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          drawer.getByRole("link", { name: "Download" }).click(),
        ]);
        expect(download.suggestedFilename()).toBe("doc.json");
        const command = drawer.getByRole("button", { name: "Copy as CLI command" });
        expect(await command.getAttribute("title")).toMatch(/^fanfold artifacts cat site art_[0-9a-f]{24}$/);
      });

      await page.getByLabel("Search artifacts by name").fill("JSON");
      await page.getByText("doc.json").first().waitFor();
      await page.getByRole("button", { name: "fake.png" }).waitFor({ state: "detached" });
      await page.getByLabel("Search artifacts by name").fill("");
      await page.getByLabel("Type of artifacts").selectOption("log");
      await page.getByLabel("Phase of artifacts").selectOption("check");
      // the list before, with the output of the phase as well, stays until the new one is there
      await expect.poll(() => page.getByText("check · revision 1 · attempt 1").count()).toBe(1);
      expect(await page.title()).toBe("Fanfold");
      expect(troubles).toEqual([]);
      await page.close();
    }),
    60_000,
  );

  test(
    "lead to what they were made from and to what was made of them, also on a phone",
    withDashboard(async (watched) => {
      await prepare(watched);
      const { page, troubles } = await openPage(browser, `${watched.dashboard.url}/runs/site?phase=check`);
      const drawer = page.getByRole("complementary", { name: "Details" });
      await drawer.getByRole("button", { name: "Lineage" }).click();
      const lineage = page.getByRole("region", { name: "Lineage" });
      await lineage.getByRole("group", { name: "artifact page of page r1" }).click();
      await drawer.getByLabel("Preview", { exact: true }).getByText("hello").waitFor();
      await drawer.getByRole("button", { name: "Lineage" }).click();
      await lineage.getByText("page of page r1", { exact: true }).waitFor();
      await lineage.getByLabel("Direction").selectOption("down");
      await lineage.getByRole("group", { name: "phase page r1, succeeded" }).waitFor({ state: "detached" });
      const command = lineage.getByRole("button", { name: "Copy as CLI command" });
      expect(await command.getAttribute("title")).toMatch(/^fanfold lineage site art_[0-9a-f]{24} --down$/);
      await lineage.getByRole("group", { name: "phase check r1, succeeded" }).click();
      await drawer.getByRole("heading", { name: "check" }).waitFor();

      await page.setViewportSize({ width: 390, height: 800 });
      await page.goto(`${watched.dashboard.url}/runs/site?view=lineage`);
      const steps = lineage.getByRole("list", { name: "Steps of the lineage" });
      await steps.getByRole("button", { name: "check", exact: true }).last().waitFor();
      await steps.getByRole("button", { name: "page", exact: true }).first().click();
      await drawer.getByRole("heading", { name: "page" }).waitFor();
      expect(troubles).toEqual([]);
      await page.close();
    }),
    60_000,
  );
});
