import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask } from "./api-client.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();

/** What this test reads of the document. */
interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

test(
  "describes every route, and docs/api.md lists the same ones",
  withDashboard(async ({ dashboard }) => {
    const { openapi, paths }: OpenApi = await (await fetch(`${dashboard.url}/api/v1/openapi.json`)).json();
    expect(openapi).toBe("3.1.0");
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const documented = [
      ...readFileSync(join(import.meta.dirname, "../../docs/api.md"), "utf8").matchAll(
        /^\| `((?:GET|POST|DELETE) [^`?]+)/gm,
      ),
    ];
    expect(documented.map(([, route]) => route).sort()).toEqual(routes.sort());
    for (const [path, operations] of Object.entries(paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(operations)) {
        expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(wanted);
      }
    }
    // a path that takes no parameters answers as it is described, streams apart
    const plain = routes.filter((route) => /^GET [^{]+$/.test(route) && !route.endsWith("/stream"));
    for (const route of plain) expect([route, (await ask(dashboard, route.slice(4))).status]).toEqual([route, 200]);
  }),
);
