import { ApiErrorSchema, NothingSchema } from "@fanfold/schemas";
import { z } from "zod";
import type { RouteFacts } from "./api-route.ts";

/** A JSON Schema, or a part of an OpenAPI document. */
type Json = Readonly<Record<string, unknown>>;

const DESCRIPTION =
  "Runs, their journals and what can be done with them. Times are Unix ms. A stream goes on after the id in " +
  "`Last-Event-ID`: a client that comes back misses nothing and gets nothing twice.";

/** The OpenAPI 3.1 document of these routes, from the schemas that check their requests and answers. */
export function openApiDocument(routes: readonly RouteFacts[], serverPath: string): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Fanfold", version: "1", description: DESCRIPTION },
    servers: [{ url: serverPath }],
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: { Error: schemaOf(ApiErrorSchema) },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A token of FANFOLD_TOKENS." },
        session: { type: "apiKey", in: "cookie", name: "fanfold_session", description: "Set by /login." },
      },
    },
  };
}

function operationOf(route: RouteFacts): Json {
  const { method, summary, access, body, answer, produces } = route;
  const parameters = [...parametersOf(route.params, "path"), ...parametersOf(route.query, "query")];
  if (produces === "text/event-stream") parameters.push(LAST_EVENT_ID);
  const hasBody = method === "post" && body !== NothingSchema;
  return {
    summary,
    ...(access === "open" ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(hasBody ? { requestBody: { content: { "application/json": { schema: schemaOf(body) } } } } : {}),
    responses: {
      "2XX": {
        description: "Success",
        content: { [produces]: { schema: answer === undefined ? { type: "string" } : schemaOf(answer) } },
      },
      default: {
        description: "What was wrong, why, and what to do",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

const LAST_EVENT_ID: Json = {
  name: "Last-Event-ID",
  in: "header",
  required: false,
  description: "Id of the last event that was received.",
  schema: { type: "string" },
};

function parametersOf(schema: z.ZodType, place: "path" | "query"): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema);
  if (!isRecord(properties) || !Array.isArray(required)) return [];
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = isRecord(property) ? property : {};
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** What a client sends, or may rely on in an answer: an answer may have more than that. */
function schemaOf(schema: z.ZodType): Record<string, unknown> {
  const {
    $schema: _dialect,
    "~standard": _standard,
    ...rest
  } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
