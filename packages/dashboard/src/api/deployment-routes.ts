import { PoolSchema, WorkerSchema } from "@fanfold/schemas";
import { z } from "zod";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";

/** Routes that look at the deployment as a whole. */
export function deploymentRoutes({ pools }: ApiParts): ApiRoute[] {
  return [
    jsonRoute({
      path: "/pools",
      summary: "Pools with their workers and queues",
      answer: z.array(PoolSchema),
      handle: () => pools.list(),
    }),
    jsonRoute({
      path: "/workers",
      summary: "Workers that are connected",
      answer: z.array(WorkerSchema),
      handle: () => pools.workers(),
    }),
  ];
}
