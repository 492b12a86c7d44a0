import { compilePlanText, compilePlanValue, listVariables, rerunDocument } from "@fanfold/core";
import { diffRevisions, loadHistory, type RerunOrder, type RunEngine } from "@fanfold/engine";
import {
  DiffQuerySchema,
  HistoryQuerySchema,
  type RerunRequest,
  RerunRequestSchema,
  RerunResultSchema,
  RevisionDiffSchema,
  RevisionSchema,
  RunParamsSchema,
  type RunVariables,
  RunVariablesSchema,
} from "@fanfold/schemas";
import { z } from "zod";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";
import { admitTo } from "./api-router.ts";
import { diffDocument, MAX_DIFF_BYTES } from "./diff-document.ts";
import { invalidPlan, variableDocument } from "./plan-documents.ts";

/** Routes about running again: reruns, revisions and how they differ. */
export function rerunRoutes(parts: ApiParts): ApiRoute[] {
  const { engine } = parts;
  return [
    rerunRoute(parts),
    jsonRoute({
      path: "/runs/:run/variables",
      summary: "Variables of a run's plan, with the values that were given",
      params: RunParamsSchema,
      answer: RunVariablesSchema,
      handle: ({ params }) => readVariables(engine, params.run),
    }),
    jsonRoute({
      path: "/runs/:run/history",
      summary: "Revisions of the phases, oldest first, with what each was made from",
      params: RunParamsSchema,
      query: HistoryQuerySchema,
      answer: z.array(RevisionSchema).readonly(),
      handle: ({ params, query }) => loadHistory(engine, params.run, query.phase),
    }),
    jsonRoute({
      path: "/runs/:run/diff",
      summary: "How revisions of outputs differ: records by their key, other text by its lines",
      params: RunParamsSchema,
      query: DiffQuerySchema,
      answer: z.array(RevisionDiffSchema),
      handle: async ({ params, query: { limit, ...scope } }) => {
        const diffs = await diffRevisions(engine, params.run, { ...scope, maxBytes: MAX_DIFF_BYTES });
        return diffs.map((diff) => diffDocument(diff, limit));
      },
    }),
  ];
}

/** A preview changes nothing: whoever may look may ask for one. */
function rerunRoute({ engine, log }: ApiParts): ApiRoute {
  return jsonRoute({
    method: "post",
    path: "/runs/:run/rerun",
    summary: "Run phases again inside their run, or say what that would run; operators, but for a preview",
    access: "viewer",
    params: RunParamsSchema,
    body: RerunRequestSchema,
    answer: RerunResultSchema,
    handle: async ({ params: { run: runId }, body, caller }) => {
      if (!body.preview) admitTo("operator", caller);
      const { phases, reach } = body;
      const order: RerunOrder = { phases, reach, plan: await changedPlan(engine, runId, body) };
      if (!body.preview) log.info({ run: runId, phases, reach, user: caller.user }, "rerun asked for");
      const planned = body.preview
        ? await engine.previewRerun(runId, order)
        : await engine.rerun(runId, order, caller.user);
      const { status } = await engine.store.runs.get(runId);
      return { ...rerunDocument(runId, planned), status, is_preview: body.preview };
    },
  });
}

/** The plan that takes the place of the run's own: another document, or the same one with other variables. */
async function changedPlan(
  engine: RunEngine,
  runId: string,
  { plan, plan_text: text, format = "yaml", variables }: RerunRequest,
): Promise<RerunOrder["plan"]> {
  const isOther = plan !== undefined || text !== undefined;
  if (!isOther && variables === undefined) return undefined;
  await engine.recall(runId);
  const { plan: before } = await engine.plan(runId);
  const source = await engine.store.runs.findSource(runId);
  if (!isOther && source === undefined) {
    const nextAction = "send the plan with its variables";
    throw new ApiFailure("STATE_CONFLICT", `it is not known what run ${runId} was compiled from`, { nextAction });
  }
  const options = {
    variables: { ...source?.variables, ...variables },
    selection: source?.selection ?? {},
    baseDir: before.base_dir,
  };
  const result =
    text === undefined
      ? compilePlanValue(plan ?? source?.document, options)
      : compilePlanText({ text, file: `plan.${format}` }, options);
  if (!result.ok) throw invalidPlan(result.problems);
  if (result.plan.plan_id !== before.plan_id) {
    const message = `the plan is ${result.plan.plan_id}, and run ${runId} is one of ${before.plan_id}`;
    throw new ApiFailure("INVALID_REQUEST", message, { nextAction: "submit it as a run of its own" });
  }
  return { compiled: result.plan, source: result.source };
}

async function readVariables(engine: RunEngine, runId: string): Promise<RunVariables> {
  await engine.store.runs.get(runId);
  const source = await engine.store.runs.findSource(runId);
  if (source === undefined) return { is_known: false, variables: [], values: {} };
  const variables = listVariables(source.document).map(variableDocument);
  return { is_known: true, variables, values: source.variables };
}
