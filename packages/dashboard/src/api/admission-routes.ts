import { explainWaits } from "@fanfold/core";
import { gatherWhyFacts, listCaps, systemClock } from "@fanfold/engine";
import {
  ActionResultSchema,
  CapQuerySchema,
  CapSchema,
  NothingSchema,
  RunParamsSchema,
  WhyQuerySchema,
  WhySchema,
} from "@fanfold/schemas";
import { z } from "zod";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";
import { findPhase } from "./shard-facts.ts";

/** Routes about what may start: pause and resume, caps, and why something waits. */
export function admissionRoutes({ engine, log }: ApiParts): ApiRoute[] {
  const holdRoute = (action: "pause" | "resume", summary: string): ApiRoute =>
    jsonRoute({
      method: "post",
      path: `/runs/:run/${action}`,
      summary,
      params: RunParamsSchema,
      body: NothingSchema,
      answer: ActionResultSchema,
      handle: async ({ params, caller }) => {
        log.info({ run: params.run, user: caller.user }, `${action} asked for`);
        const { run_id, status } = await engine[action](params.run, caller.user);
        return { run_id, status };
      },
    });
  return [
    holdRoute("pause", "Pause a run: nothing new starts, what runs goes on to its end"),
    holdRoute("resume", "Let a paused run go on"),
    jsonRoute({
      path: "/runs/:run/why",
      summary: "One reason for each thing of a run that is not running",
      params: RunParamsSchema,
      query: WhyQuerySchema,
      answer: z.array(WhySchema).readonly(),
      handle: async ({ params, query }) => {
        if (query.phase !== undefined) await findPhase(engine, params.run, query.phase);
        return explainWaits(await gatherWhyFacts(engine, params.run, systemClock), query);
      },
    }),
    jsonRoute({
      path: "/caps",
      summary: "Caps with their holders",
      query: CapQuerySchema,
      answer: z.array(CapSchema).readonly(),
      handle: ({ query }) => listCaps(engine, query.run),
    }),
  ];
}
