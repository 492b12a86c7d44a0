import {
  ActionResultSchema,
  CancelRequestSchema,
  type RetryRequest,
  RetryRequestSchema,
  RunParamsSchema,
} from "@fanfold/schemas";
import type { RetryScope } from "@fanfold/engine";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";

/** Routes that change runs. Whoever asks is the `actor` of the events. */
export function actionRoutes({ engine, log }: ApiParts): ApiRoute[] {
  return [
    jsonRoute({
      method: "post",
      path: "/runs/:run/cancel",
      summary: "Cancel a run: nothing new starts, what runs is killed",
      params: RunParamsSchema,
      body: CancelRequestSchema,
      answer: ActionResultSchema,
      handle: async ({ params, body, caller }) => {
        if (body.phase !== undefined || body.shard !== undefined) {
          throw new ApiFailure("INVALID_REQUEST", "only a whole run can be cancelled");
        }
        log.info({ run: params.run, user: caller.user }, "cancel asked for");
        const { run_id, status } = await engine.cancel(params.run, caller.user);
        return { run_id, status };
      },
    }),
    jsonRoute({
      method: "post",
      path: "/runs/:run/retry",
      summary: "Retry what failed for good, with full retries; the run carries on",
      params: RunParamsSchema,
      body: RetryRequestSchema,
      answer: ActionResultSchema,
      handle: async ({ params, body, caller }) => {
        log.info({ run: params.run, user: caller.user }, "retry asked for");
        const retried = await engine.retry(params.run, scopeOf(body), caller.user);
        const { run_id, status } = await engine.store.runs.get(params.run);
        return { run_id, status, retried };
      },
    }),
  ];
}

function scopeOf({ phase, shard, shards }: RetryRequest): RetryScope {
  return {
    ...(phase === undefined ? {} : { phase }),
    ...(shard === undefined ? {} : { shard }),
    ...(shards === undefined ? {} : { shards }),
  };
}
