import { compilePlanText, compilePlanValue, listPhaseIdsOfText, listVariablesOfText } from "@fanfold/core";
import {
  addTemplate,
  findTemplate,
  listTemplates,
  removeTemplate,
  systemClock,
  templateDocument,
  type RunEngine,
} from "@fanfold/engine";
import {
  TemplateAddedSchema,
  type TemplateDetail,
  TemplateDetailSchema,
  TemplateDocumentSchema,
  TemplateParamsSchema,
  TemplateQuerySchema,
  TemplateRemovedSchema,
  type TemplateRequest,
  TemplateRequestSchema,
} from "@fanfold/schemas";
import { z } from "zod";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";
import { invalidPlan, variableDocument, writtenPlan } from "./plan-documents.ts";

/** Routes about plans that are kept to be run again. */
export function templateRoutes({ engine, log }: ApiParts): ApiRoute[] {
  return [
    jsonRoute({
      path: "/templates",
      summary: "Every version of every template, the built-in ones first",
      answer: z.array(TemplateDocumentSchema),
      handle: async () => (await listTemplates(engine.store)).map(templateDocument),
    }),
    jsonRoute({
      path: "/templates/:name",
      summary: "A template with its plan, variables, phases and versions; by default the version added last",
      params: TemplateParamsSchema,
      query: TemplateQuerySchema,
      answer: TemplateDetailSchema,
      handle: ({ params, query }) => readTemplate(engine, params.name, query.version),
    }),
    jsonRoute({
      method: "post",
      path: "/templates",
      summary: "Keep a plan as a template; 200 instead of 201 when it was there",
      body: TemplateRequestSchema,
      answer: TemplateAddedSchema,
      statusOf: ({ is_new }) => (is_new ? 201 : 200),
      handle: async ({ body, caller }) => {
        const { warnings, ...template } = newTemplate(body);
        const is_new = await addTemplate(engine.store, template, systemClock.nowMs());
        const { name, version } = template;
        log.info({ template: `${name}@${version}`, user: caller.user }, "template added");
        return { name, version, is_new, warnings };
      },
    }),
    jsonRoute({
      method: "delete",
      path: "/templates/:name",
      summary: "Remove a template, or one version of it; runs that were started from it are not concerned",
      params: TemplateParamsSchema,
      query: TemplateQuerySchema,
      answer: TemplateRemovedSchema,
      handle: async ({ params: { name }, query, caller }) => {
        const versions = await removeTemplate(engine.store, reference(name, query.version));
        log.info({ template: name, versions, user: caller.user }, "template removed");
        return { name, versions };
      },
    }),
  ];
}

function reference(name: string, version: string | undefined): string {
  return version === undefined ? name : `${name}@${version}`;
}

async function readTemplate(engine: RunEngine, name: string, version: string | undefined): Promise<TemplateDetail> {
  const [template, all] = await Promise.all([
    findTemplate(engine.store, reference(name, version)),
    listTemplates(engine.store),
  ]);
  return {
    ...templateDocument(template),
    versions: all.filter((other) => other.name === template.name).map((other) => other.version),
    variables: listVariablesOfText(template.source).map(variableDocument),
    phases: listPhaseIdsOfText(template.source),
    plan: template.source.text,
  };
}

/** @throws {ApiFailure} INVALID_PLAN with what is wrong as far as it can be told without the variables */
function newTemplate(request: TemplateRequest) {
  const written = writtenPlan(request);
  const options = { variables: request.variables ?? {}, isTemplate: true };
  const result = "text" in written ? compilePlanText(written, options) : compilePlanValue(written.value, options);
  if (!result.ok) throw invalidPlan(result.problems, "nothing was added");
  const { plan_id, version, description, phases } = result.plan;
  const text = "text" in written ? written.text : `${JSON.stringify(written.value, null, 2)}\n`;
  return {
    name: request.name ?? plan_id,
    version,
    description,
    phaseCount: phases.length,
    text,
    warnings: result.warnings,
  };
}
