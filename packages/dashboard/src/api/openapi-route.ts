import { z } from "zod";
import { type ApiRoute, jsonRoute } from "./api-route.ts";
import { openApiDocument } from "./openapi.ts";

/** The route that describes all others, and itself. */
export function openApiRoute(others: readonly ApiRoute[], serverPath: string): ApiRoute {
  let document: Readonly<Record<string, unknown>> | undefined;
  const route = jsonRoute({
    path: "/openapi.json",
    summary: "This document",
    access: "open",
    answer: z.record(z.string(), z.unknown()),
    handle: () => {
      document ??= openApiDocument([...others, route], serverPath);
      return document;
    },
  });
  return route;
}
