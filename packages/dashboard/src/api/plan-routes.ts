import {
  type CompileOptions,
  type CompileResult,
  compilePlanText,
  compilePlanValue,
  listNotReusable,
  listPhaseIds,
  listPhaseIdsOfText,
  listVariables,
  listVariablesOfText,
} from "@fanfold/core";
import { findTemplate, type RunEngine } from "@fanfold/engine";
import {
  type PlanCheck,
  type PlanCheckRequest,
  PlanCheckRequestSchema,
  PlanCheckSchema,
  type PlanRequest,
  PlanRequestSchema,
  SubmitResultSchema,
} from "@fanfold/schemas";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";
import { invalidPlan, variableDocument, type WrittenPlan, writtenPlan } from "./plan-documents.ts";

/** Routes that take plans. */
export function planRoutes({ engine, log }: ApiParts): ApiRoute[] {
  return [
    jsonRoute({
      method: "post",
      path: "/runs",
      summary: "Submit a plan or a template; 200 instead of 201 when a run of this id was there",
      body: PlanRequestSchema,
      answer: SubmitResultSchema,
      statusOf: ({ is_new }) => (is_new ? 201 : 200),
      handle: async ({ body, caller }) => {
        const result = compile(await planOf(engine, body), body);
        if (!result.ok) throw invalidPlan(result.problems);
        const { runId, isNew } = await engine.submit(result.plan, body.run_id, result.source, caller.user);
        const { template } = body;
        log.info({ run: runId, plan: result.plan.plan_id, template, user: caller.user }, "plan submitted");
        return { run_id: runId, is_new: isNew, warnings: [...result.warnings, ...listNotReusable(result.plan)] };
      },
    }),
    jsonRoute({
      method: "post",
      path: "/plans/validate",
      summary: "Check a plan, and list its variables and phases; starts nothing",
      access: "viewer",
      body: PlanCheckRequestSchema,
      answer: PlanCheckSchema,
      handle: async ({ body }) => check(await planOf(engine, body), body),
    }),
  ];
}

/** What a request asks to run. @throws {EngineError} UNKNOWN_TEMPLATE, TEMPLATE_NOT_TRUSTED */
async function planOf(engine: RunEngine, request: PlanRequest): Promise<WrittenPlan> {
  const { template } = request;
  return template === undefined ? writtenPlan(request) : (await findTemplate(engine.store, template)).source;
}

function check(plan: WrittenPlan, request: PlanCheckRequest): PlanCheck {
  const declared = "text" in plan ? listVariablesOfText(plan) : listVariables(plan.value);
  const variables = declared.map(variableDocument);
  const phase_ids = "text" in plan ? listPhaseIdsOfText(plan) : listPhaseIds(plan.value);
  const result = compile(plan, request, { isTemplate: request.as_template });
  if (!result.ok) return { ok: false, problems: result.problems, warnings: [], variables, phases: [], phase_ids };
  const phases = result.plan.phases.map(({ id, name, pool, takes_part, depends_on }) => ({
    phase: id,
    name,
    pool,
    takes_part,
    depends_on: depends_on.map((edge) => edge.phase),
  }));
  return { ok: true, problems: [], warnings: result.warnings, variables, phases, phase_ids };
}

function compile(
  plan: WrittenPlan,
  request: PlanRequest,
  { isTemplate = false }: { readonly isTemplate?: boolean } = {},
): CompileResult {
  const { only, skip, from, to, exclude } = request;
  const options: CompileOptions = {
    variables: request.variables ?? {},
    baseDir: checkBaseDir(request.base_dir ?? "."),
    isTemplate,
    selection: {
      ...(only === undefined ? {} : { only }),
      ...(skip === undefined ? {} : { skip }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    },
    ...(exclude === undefined ? {} : { exclude }),
  };
  return "text" in plan ? compilePlanText(plan, options) : compilePlanValue(plan.value, options);
}

/** A directory below the workers' workspaces. @throws {ApiFailure} INVALID_REQUEST for any other */
function checkBaseDir(baseDir: string): string {
  const parts = baseDir.split("/");
  const isBelow = !baseDir.startsWith("/") && !parts.includes("..") && !/[\\\0]/.test(baseDir) && baseDir !== "";
  if (isBelow) return baseDir;
  throw new ApiFailure("INVALID_REQUEST", `body base_dir: ${JSON.stringify(baseDir)} leaves the workspace`, {
    nextAction: "name a directory relative to the workspace, with / between its parts",
  });
}
