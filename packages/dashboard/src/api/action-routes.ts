import {
  ActionResultSchema,
  ApprovalAnswerSchema,
  CancelRequestSchema,
  GivenApprovalSchema,
  PhaseParamsSchema,
  type RetryRequest,
  RetryRequestSchema,
  RemovedSchema,
  RunParamsSchema,
} from "@fanfold/schemas";
import type { RetryScope } from "@fanfold/engine";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";
import { removeRun } from "./remove-run.ts";

/** Routes that change runs. Whoever asks is the `actor` of the events. */
export function actionRoutes(parts: ApiParts): ApiRoute[] {
  const { engine, log } = parts;
  return [
    approveRoute(parts),
    jsonRoute({
      method: "post",
      path: "/runs/:run/cancel",
      summary: "Cancel a run, a phase or a shard: nothing new of it starts, what runs is killed",
      params: RunParamsSchema,
      body: CancelRequestSchema,
      answer: ActionResultSchema,
      handle: async ({ params, body, caller }) => {
        const { phase, shard } = body;
        if (phase === undefined && shard !== undefined) {
          throw new ApiFailure("INVALID_REQUEST", "a shard needs the phase it is of");
        }
        log.info({ run: params.run, phase, shard, user: caller.user }, "cancel asked for");
        if (phase === undefined) await engine.cancel(params.run, caller.user);
        else await engine.cancelPart(params.run, { phase, shard }, caller.user);
        const { run_id, status } = await engine.store.runs.get(params.run);
        return { run_id, status };
      },
    }),
    jsonRoute({
      method: "delete",
      path: "/runs/:run",
      summary: "Remove everything of a run that is over, with the files that nothing else refers to",
      params: RunParamsSchema,
      answer: RemovedSchema,
      handle: async ({ params, caller }) => {
        log.info({ run: params.run, user: caller.user }, "removal asked for");
        return removeRun(parts, params.run, caller.user);
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

function approveRoute({ engine, log }: ApiParts): ApiRoute {
  return jsonRoute({
    method: "post",
    path: "/runs/:run/phases/:phase/approve",
    summary: "Approve or reject a phase that waits for a person; the first answer counts",
    params: PhaseParamsSchema,
    body: ApprovalAnswerSchema,
    answer: GivenApprovalSchema,
    handle: ({ params: { run, phase }, body, caller: { user } }) => {
      log.info({ run, phase, approved: body.approved, user }, "approval given");
      return engine.approve(run, phase, { ...body, actor: user });
    },
  });
}

function scopeOf({ phase, shard, shards }: RetryRequest): RetryScope {
  return {
    ...(phase === undefined ? {} : { phase }),
    ...(shard === undefined ? {} : { shard }),
    ...(shards === undefined ? {} : { shards }),
  };
}
