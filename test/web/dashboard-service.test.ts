import { once } from "node:events";
import { type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http";
import { DashboardError, DashboardService } from "@fanfold/dashboard";
import { shardQueue } from "@fanfold/store";
import { eventually } from "@fanfold/testkit";
import { describe, expect, test } from "vitest";
import { SILENT_LOG, useDashboards, type Watched } from "./with-dashboard.ts";

const withDashboard = useDashboards();

async function listBoard({ dashboard }: Watched): Promise<string[]> {
  const answer = await fetch(`${dashboard.url}/queues/api/queues`);
  const { queues }: { queues: { name: string }[] } = await answer.json();
  return queues.map(({ name }) => name).sort();
}

async function readHealth({ dashboard }: Watched): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${dashboard.url}/healthz`);
  return { status: answer.status, body: await answer.json() };
}

/** Status of an answer to a request with these headers, `host` included: `fetch` would set its own. */
async function statusOf(url: string, method: string, headers: OutgoingHttpHeaders): Promise<number | undefined> {
  const asked = request(url, { method, headers });
  asked.end();
  const [answer]: IncomingMessage[] = await once(asked, "response");
  answer?.resume();
  return answer?.statusCode;
}

describe("DashboardService", () => {
  test(
    "listens on 127.0.0.1 and shows the page and the queues",
    withDashboard(async ({ dashboard }) => {
      expect(dashboard.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      for (const path of ["/", "/queues"]) {
        const page = await fetch(`${dashboard.url}${path}`);
        expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("<title>Fanfold</title>")]);
      }
    }),
  );

  test.each(["0.0.0.0", "::", "localhost", "192.0.2.1"])("refuses to listen on %s without leave", (host) =>
    withDashboard(async ({ deployment }) => {
      const dashboard = new DashboardService(deployment.engine, { host, port: 0 }, SILENT_LOG);
      const refusal = { code: "UNSAFE_HOST", message: expect.stringContaining("FANFOLD_DASHBOARD_UNSAFE=1") };
      await expect(dashboard.start()).rejects.toThrow(DashboardError);
      await expect(dashboard.start()).rejects.toMatchObject(refusal);
      expect(() => dashboard.url).toThrow("not listening");
      await dashboard.stop();
    })(),
  );

  test(
    "listens on another address with leave",
    withDashboard(async ({ deployment }) => {
      const settings = { host: "127.0.0.2", port: 0, isUnsafeAllowed: true };
      const dashboard = new DashboardService(deployment.engine, settings, SILENT_LOG);
      await dashboard.start();
      expect((await fetch(`${dashboard.url}/healthz`)).status).toBe(200);
      await dashboard.stop();
    }),
  );

  test(
    "names the address when its port is taken",
    withDashboard(async ({ deployment, dashboard }) => {
      const port = Number(new URL(dashboard.url).port);
      const second = new DashboardService(deployment.engine, { port }, SILENT_LOG);
      const refusal = {
        code: "ADDRESS_UNUSABLE",
        message: expect.stringContaining(`cannot listen on 127.0.0.1:${port}`),
      };
      await expect(second.start()).rejects.toMatchObject(refusal);
      await second.stop();
    }),
  );

  test(
    "starts and stops twice without harm",
    withDashboard(async ({ deployment }) => {
      const dashboard = new DashboardService(deployment.engine, { port: 0 }, SILENT_LOG);
      await dashboard.start();
      const { url } = dashboard;
      await dashboard.start();
      expect(dashboard.url).toBe(url);
      await Promise.all([dashboard.stop(), dashboard.stop()]);
      await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
    }),
  );

  test(
    "shows the queue of a new pool when asked, and when somebody opens a page",
    withDashboard(async (watched) => {
      const { deployment, dashboard } = watched;
      const [fixed, cpu, gpu] = [["aggregate", "gates", "scheduler"], shardQueue("cpu"), shardQueue("gpu")];
      const known = [...fixed, shardQueue("default")];
      expect(await listBoard(watched)).toEqual(known);
      await deployment.store.queues.queue(cpu).add("compile", {});
      expect(await listBoard(watched)).toEqual(known);
      await dashboard.refresh();
      expect(await listBoard(watched)).toEqual([...fixed, cpu, shardQueue("default")]);
      await deployment.store.queues.queue(gpu).add("compile", {});
      await fetch(`${dashboard.url}/queues`);
      await eventually(async () => {
        expect(await listBoard(watched)).toEqual([...fixed, cpu, shardQueue("default"), gpu]);
      });
    }),
  );

  test(
    "shows the queues of its own deployment only",
    withDashboard(async (one) => {
      await one.deployment.store.queues.queue(shardQueue("cpu")).add("compile", {});
      await withDashboard(async (other) => {
        expect(await listBoard(other)).not.toContain(shardQueue("cpu"));
      })();
    }),
  );

  test.each([
    ["a change asked for by another page", "PUT", { origin: "http://elsewhere.example" }],
    ["a change the browser calls cross-site", "PUT", { "sec-fetch-site": "cross-site" }],
    ["a look under a foreign host name", "GET", { host: "rebound.example:3000" }],
  ])("refuses %s", (_what, method, headers) =>
    withDashboard(async ({ dashboard }) => {
      expect(await statusOf(`${dashboard.url}/queues/api/queues/pause`, method, headers)).toBe(403);
      expect(await statusOf(`${dashboard.url}/queues/api/queues/pause`, "PUT", { origin: dashboard.url })).toBe(200);
      expect(await statusOf(`${dashboard.url}/queues/api/queues/resume`, "PUT", {})).toBe(200);
    })(),
  );

  test(
    "is healthy as long as Redis answers",
    withDashboard(async (watched) => {
      expect(await readHealth(watched)).toEqual({ status: 200, body: { status: "ok" } });
      watched.deployment.store.redis.disconnect();
      const unavailable = { status: "unavailable", message: "redis does not answer" };
      expect(await readHealth(watched)).toEqual({ status: 503, body: unavailable });
      await watched.deployment.store.redis.connect();
      expect((await readHealth(watched)).status).toBe(200);
    }),
  );
});
