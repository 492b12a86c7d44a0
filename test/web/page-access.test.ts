import { createServer, request, type Server } from "node:http";
import { once } from "node:events";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "./open-browser.ts";
import { openPage } from "./open-page.ts";
import { COMPILE_PLAN, useDashboards } from "./with-dashboard.ts";
import { CHEAP_HASH, withService } from "./with-service.ts";

const withDashboard = useDashboards();
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());

async function logIn(page: Page, user: string): Promise<void> {
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Passes on everything below `/fanfold` as it is, and says which host was asked: what a reverse proxy does. */
async function startProxy(target: string): Promise<{ server: Server; url: string }> {
  const { hostname, port } = new URL(target);
  const server = createServer((req, res) => {
    if (req.url?.startsWith("/fanfold") !== true) {
      res.writeHead(404).end();
      return;
    }
    const headers = {
      ...req.headers,
      host: "inside.example",
      "x-forwarded-host": req.headers.host,
      "x-forwarded-proto": "http",
      "x-forwarded-for": "192.0.2.7",
    };
    const asked = request({ hostname, port, path: req.url, method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    asked.on("error", () => res.destroy());
    res.on("close", () => asked.destroy());
    req.pipe(asked);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy is not listening");
  return { server, url: `http://127.0.0.1:${address.port}/fanfold` };
}

describe("somebody who may only look", () => {
  test(
    "finds nothing to press, and the API refuses every change",
    withDashboard(async ({ deployment }) => {
      await deployment.ended(await deployment.submit(COMPILE_PLAN, "zones"));
      const users = `ann:operator:${CHEAP_HASH};wim:viewer:${CHEAP_HASH}`;
      await withService(deployment, { users }, async ({ url }) => {
        const { page } = await openPage(browser, `${url}/runs/zones?phase=compile&shard=3`);
        await logIn(page, "wim");
        const retry = page.getByRole("button", { name: "Retry all failed" });
        await retry.waitFor();
        expect([await retry.isDisabled(), await retry.getAttribute("title")]).toEqual([
          true,
          "you may look, not change",
        ]);
        for (const name of ["Retry shard", "Remove run"]) {
          expect(await page.getByRole("button", { name }).isDisabled()).toBe(true);
        }
        await page.getByRole("button", { name: "Bring up to date…" }).click();
        const dialog = page.getByRole("dialog", { name: "Bring up to date" });
        await dialog.getByText("it has failed").waitFor();
        expect(await dialog.getByRole("button", { name: "Run 2 phases" }).isDisabled()).toBe(true);
        await page.goto(`${url}/new`);
        await page.getByLabel("Plan, YAML or JSON").fill(JSON.stringify(COMPILE_PLAN));
        await page.getByText("The plan is valid").waitFor();
        expect(await page.getByRole("button", { name: "Start the run" }).isDisabled()).toBe(true);
        await page.goto(`${url}/templates`);
        await page.getByRole("link", { name: "Start a run of it" }).waitFor();
        expect(await page.getByRole("link", { name: "Add a template" }).count()).toBe(0);
        await page.goto(`${url}/workers`);
        const drain = page.getByRole("row", { name: /worker-1/ }).getByRole("button", { name: "Drain" });
        await drain.waitFor();
        expect(await drain.isDisabled()).toBe(true);

        const changes: [string, string, object?][] = [
          ["POST", "runs", { plan: COMPILE_PLAN }],
          ...["cancel", "pause", "resume", "retry"].map((verb): [string, string] => ["POST", `runs/zones/${verb}`]),
          ["POST", "runs/zones/phases/compile/approve", { approved: true }],
          ["POST", "runs/zones/rerun", { phases: ["compile"] }],
          ["POST", "workers/worker-1/drain"],
          ["POST", "templates", { plan: COMPILE_PLAN }],
          ["DELETE", "templates/zones"],
          ["DELETE", "runs/zones"],
        ];
        const answers = await page.evaluate(
          (wanted) =>
            Promise.all(
              wanted.map(async ([method, path, body]) => {
                const headers = { "content-type": "application/json" };
                const sent = method === "POST" ? { body: JSON.stringify(body ?? {}) } : {};
                const { status } = await fetch(`/api/v1/${path}`, { method, headers, ...sent });
                return [path, status];
              }),
            ),
          changes,
        );
        expect(answers).toEqual(changes.map(([, path]) => [path, 403]));
      });
      expect(await deployment.story("zones")).not.toContain("run_reopened");
    }),
  );
});

describe("behind a reverse proxy", () => {
  test(
    "everything works below the base path: login, page, streams, actions, the queues and their assets",
    withDashboard(async ({ deployment }) => {
      const users = `ann:operator:${CHEAP_HASH}`;
      await withService(deployment, { users, basePath: "/fanfold", isProxyTrusted: true }, async (dashboard) => {
        const proxy = await startProxy(dashboard.url);
        try {
          const { page, troubles } = await openPage(browser, `${proxy.url}/`);
          const missing: string[] = [];
          page.on("response", (answer) => {
            if (answer.status() >= 400) missing.push(`${answer.status()} ${answer.url()}`);
          });
          await logIn(page, "ann");
          await page.locator(".live-label").getByText("live", { exact: true }).waitFor();
          await deployment.submit(COMPILE_PLAN, "zones");
          await page
            .getByRole("link", { name: /^zones/ })
            .first()
            .click();
          expect(new URL(page.url()).pathname).toBe("/fanfold/runs/zones");
          await page.getByLabel("compile, failed").waitFor();
          await page.locator(".run-header .live-label").getByText("live", { exact: true }).waitFor();
          await page.getByRole("button", { name: "Retry all failed" }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Retry all failed" }).click();
          await page.getByText("retried 1 shard; the run carries on").waitFor();
          await page.reload();
          await page.getByLabel("compile, failed").waitFor();
          expect(troubles).toEqual([]); // before Bull Board, which asks for a font that it does not get
          await page.getByRole("link", { name: "Queues" }).click();
          await page.getByText("shards.default").first().waitFor();
          expect(new URL(page.url()).pathname).toBe("/fanfold/queues");
          expect(missing).toEqual([]);
        } finally {
          proxy.server.closeAllConnections();
          proxy.server.close();
        }
      });
    }),
  );
});
