import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { expect, test } from "vitest";
import { ask } from "./api-client.ts";
import { useDashboards } from "./with-dashboard.ts";

const withDashboard = useDashboards();

const OperationSchema = z.object({
  summary: z.string().min(1),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), required: z.boolean() })).optional(),
  responses: z.object({ "2XX": z.object({}), default: z.object({}) }),
});
const DocumentSchema = z.object({
  openapi: z.literal("3.1.0"),
  paths: z.record(z.string(), z.record(z.string(), OperationSchema)),
});

test(
  "describes every route, and docs/api.md lists the same ones",
  withDashboard(async ({ dashboard }) => {
    const { body } = await ask(dashboard, "/openapi.json");
    const { paths } = DocumentSchema.parse(body);
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
