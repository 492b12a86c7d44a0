import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DashboardService } from "@fanfold/dashboard";
import { MeSchema } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { ask, codeOf, post } from "./api-client.ts";
import { SILENT_LOG, useDashboards } from "./with-dashboard.ts";
import { CHEAP_HASH, withService } from "./with-service.ts";

const withDashboard = useDashboards();
const TOKENS = "ci:operator:0123456789abcdef; wall:viewer:fedcba9876543210";
const PLAN = { plan: { plan_id: "p", version: "1", phases: [{ id: "a", command: "false" }] } };

function bearer(token: string, init: RequestInit = {}): RequestInit {
  return { ...init, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } };
}

describe("who may use the dashboard", () => {
  test(
    "asks for a login once there are users, on every door",
    withDashboard(async ({ deployment }) => {
      const users = `ann:operator:${CHEAP_HASH}`;
      await withService(deployment, { host: "127.0.0.2", users }, async (dashboard) => {
        for (const path of ["/runs", "/runs/stream", "/pools", "/runs/x/artifacts/a/b"]) {
          const answer = await ask(dashboard, path);
          expect([path, answer.status, codeOf(answer)]).toEqual([path, 401, "LOGIN_NEEDED"]);
        }
        expect(codeOf(await post(dashboard, "/runs", PLAN))).toBe("LOGIN_NEEDED");
        for (const path of ["/metrics", "/queues/api/queues"])
          expect((await fetch(dashboard.url + path)).status).toBe(401);
        const board = await fetch(`${dashboard.url}/queues`, { headers: { accept: "text/html" }, redirect: "manual" });
        expect([board.status, board.headers.get("location")]).toEqual([302, "/"]);
        for (const path of ["/healthz", "/readyz"]) expect((await fetch(dashboard.url + path)).status).toBe(200);
        const { body } = await ask(dashboard, "/me");
        expect(MeSchema.parse(body)).toEqual({ user: null, role: null, is_login_needed: true });
      });
    }),
  );

  test(
    "logs users in with a cookie that scripts cannot read, and out again",
    withDashboard(async ({ deployment }) => {
      const users = `ann:operator:${CHEAP_HASH}\n# nobody else`;
      await withService(deployment, { users, sessionKey: "k".repeat(32) }, async (dashboard) => {
        const logIn = (user: string, password: string): Promise<Response> =>
          fetch(`${dashboard.url}/api/v1/login`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ user, password }),
          });
        const wrong = await logIn("ann", "battery staple");
        expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
        expect((await logIn("bob", "correct horse")).status).toBe(401);
        const right = await logIn("ann", "correct horse");
        expect(await right.json()).toEqual({ user: "ann", role: "operator", is_login_needed: true });
        const [cookie = "", ...flags] = right.headers.get("set-cookie")?.split("; ") ?? [];
        expect(flags).toEqual(expect.arrayContaining(["HttpOnly", "SameSite=Strict", "Path=/"]));
        const asAnn = (value: string): RequestInit => ({ headers: { cookie: value } });
        expect((await ask(dashboard, "/runs", asAnn(cookie))).status).toBe(200);
        expect((await ask(dashboard, "/runs", asAnn(`${cookie}x`))).status).toBe(401);
        const forged = cookie.replace(/=[^.]+/, `=${Buffer.from("bob").toString("base64url")}`);
        expect((await ask(dashboard, "/runs", asAnn(forged))).status).toBe(401);
        const out = await fetch(`${dashboard.url}/api/v1/logout`, { method: "POST", ...asAnn(cookie) });
        expect(out.headers.get("set-cookie")).toContain("fanfold_session=;");
        for (let i = 0; i < 8; i += 1) expect((await logIn("ann", "guess")).status).toBe(401);
        const limited = await logIn("ann", "correct horse");
        expect([limited.status, await limited.json()]).toMatchObject([429, { error: { code: "TOO_MANY_REQUESTS" } }]);
      });
    }),
  );

  test(
    "lets viewers look and operators act; the journal names who it was",
    withDashboard(async ({ deployment }) => {
      await withService(deployment, { tokens: TOKENS }, async (dashboard) => {
        const [operator, viewer] = ["0123456789abcdef", "fedcba9876543210"];
        const submit = { method: "POST", body: JSON.stringify({ ...PLAN, run_id: "mine" }) };
        expect((await ask(dashboard, "/runs", bearer(viewer))).status).toBe(200);
        const refused = await ask(dashboard, "/runs", bearer(viewer, submit));
        expect([refused.status, codeOf(refused)]).toEqual([403, "FORBIDDEN"]);
        const check = { method: "POST", body: JSON.stringify(PLAN) };
        expect((await ask(dashboard, "/plans/validate", bearer(viewer, check))).status).toBe(200);
        expect((await ask(dashboard, "/runs", bearer("0123456789abcdeX", submit))).status).toBe(401);
        expect((await ask(dashboard, "/runs", bearer(operator, submit))).status).toBe(201);
        const pause = `${dashboard.url}/queues/api/queues/pause`;
        expect((await fetch(pause, bearer(viewer, { method: "PUT" }))).status).toBe(403);
        expect((await fetch(pause, bearer(operator, { method: "PUT" }))).status).toBe(200);
        const resume = pause.replace("pause", "resume");
        expect((await fetch(resume, bearer(operator, { method: "PUT" }))).status).toBe(200);
        expect((await fetch(`${dashboard.url}/metrics`, bearer(viewer))).status).toBe(200);
        expect((await deployment.ended("mine")).status).toBe("failed");
        const retried = await ask(dashboard, "/runs/mine/retry", bearer(operator, { method: "POST", body: "{}" }));
        expect(retried.status).toBe(200);
        const journal = await deployment.journal("mine");
        expect(journal.find(({ event }) => event === "run_reopened")?.data.actor).toBe("ci");
      });
    }),
  );

  test.each([
    ["a user without a hash", { users: "ann:operator:secret" }],
    ["a role that there is not", { users: "ann:root:x" }],
    ["a short token", { tokens: "ci:operator:short" }],
  ])("refuses %s and does not repeat it", (_what, settings) =>
    withDashboard(async ({ deployment }) => {
      const make = (): DashboardService => new DashboardService(deployment.engine, settings, SILENT_LOG);
      expect(make).toThrow(expect.objectContaining({ code: "BAD_USERS" }));
      expect(make).not.toThrow(/secret|short:|:x/);
    })(),
  );
});

describe("what the dashboard refuses", () => {
  test(
    "changes asked for by pages of other origins, in the one form of errors",
    withDashboard(async ({ dashboard }) => {
      const foreign = { origin: "http://elsewhere.example", "content-type": "application/json" };
      const answer = await ask(dashboard, "/runs", { method: "POST", headers: foreign, body: JSON.stringify(PLAN) });
      expect([answer.status, codeOf(answer)]).toEqual([403, "FOREIGN_ORIGIN"]);
      const form = { "content-type": "text/plain" };
      const plain = await ask(dashboard, "/runs", { method: "POST", headers: form, body: JSON.stringify(PLAN) });
      expect(codeOf(plain)).toBe("INVALID_REQUEST");
      const { headers } = await fetch(`${dashboard.url}/api/v1/runs`);
      expect(headers.get("content-security-policy")).toContain("default-src 'none';script-src 'self';style-src 'self'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect([headers.get("cache-control"), headers.get("access-control-allow-origin")]).toEqual(["no-store", null]);
    }),
  );

  test(
    "paths that lead out of the page's directory",
    withDashboard(async ({ deployment }) => {
      const dir = await mkdtemp(join(tmpdir(), "fanfold-web-"));
      await mkdir(join(dir, "web/assets"), { recursive: true });
      await writeFile(join(dir, "secret.txt"), "well hidden");
      await writeFile(join(dir, "web/index.html"), '<base href="/"><title>page</title>');
      await writeFile(join(dir, "web/assets/a.js"), "let a;");
      await withService(deployment, { webDir: join(dir, "web"), basePath: "/runs/here" }, async ({ url }) => {
        expect(url).toMatch(/\/runs\/here$/);
        const page = await fetch(`${url}/runs/some-run`);
        expect(await page.text()).toBe('<base href="/runs/here/"><title>page</title>');
        expect((await fetch(`${url}/assets/a.js`)).headers.get("cache-control")).toContain("immutable");
        expect((await fetch(`${url}/assets/none.js`)).status).toBe(404);
        expect((await fetch(`${url}/api/v1/runs`)).status).toBe(200);
        expect((await fetch(`${url}/queues`)).status).toBe(200);
        expect((await fetch(new URL("/api/v1/runs", url))).status).toBe(404);
        for (const path of [
          "/../secret.txt",
          "/assets/../../secret.txt",
          "/%2e%2e/secret.txt",
          "/..%2fsecret.txt",
          "/assets/..%5c..%5csecret.txt",
        ]) {
          expect([path, await rawGet(url, path)]).not.toEqual([path, expect.stringContaining("well hidden")]);
        }
      });
      await rm(dir, { recursive: true });
    }),
  );

  test(
    "to stand behind a proxy without users, and to believe one that it was not told of",
    withDashboard(async ({ deployment, dashboard }) => {
      const open = new DashboardService(deployment.engine, { port: 0, isProxyTrusted: true }, SILENT_LOG);
      await expect(open.start()).rejects.toMatchObject({ code: "UNSAFE_HOST" });
      await open.stop();
      const headers = { "x-forwarded-host": "public.example", origin: "http://public.example" };
      const send = (url: string, token: string): Promise<Response> =>
        fetch(`${url}/api/v1/plans/validate`, {
          method: "POST",
          body: JSON.stringify(PLAN),
          headers: { ...headers, authorization: `Bearer ${token}`, "content-type": "application/json" },
        });
      expect((await send(dashboard.url, "none")).status).toBe(403);
      await withService(deployment, { isProxyTrusted: true, tokens: TOKENS }, async ({ url }) => {
        expect((await send(url, "0123456789abcdef")).status).toBe(200);
      });
    }),
  );
});

/** Gets a path as it is: `fetch` would tidy it up. */
async function rawGet(url: string, path: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const asked = request({ hostname, port, path: pathname + path });
  asked.end();
  const [answer] = await once(asked, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
