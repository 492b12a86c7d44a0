import { DrainedSchema, NothingSchema, PoolSchema, WorkerParamsSchema, WorkerSchema } from "@fanfold/schemas";
import { z } from "zod";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";

/** Routes that concern the deployment as a whole. */
export function deploymentRoutes({ pools, log }: ApiParts): ApiRoute[] {
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
    jsonRoute({
      method: "post",
      path: "/workers/:worker/drain",
      summary: "Ask a worker to stop: it finishes what it has, takes nothing new, and leaves",
      params: WorkerParamsSchema,
      body: NothingSchema,
      answer: DrainedSchema,
      handle: async ({ params: { worker }, caller }) => {
        log.info({ worker, user: caller.user }, "drain asked for");
        if (await pools.drain(worker)) return { worker, is_draining: true } as const;
        throw new ApiFailure("NOT_FOUND", `no worker ${worker} is connected`);
      },
    }),
  ];
}
