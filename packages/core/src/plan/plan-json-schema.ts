import { PlanSchema } from "@fanfold/schemas";
import type { JsonObject, JsonValue } from "../jsonl/json-value.ts";
import { findField, isJsonObject, parseJson } from "../jsonl/json-value.ts";

const TITLE = "Fanfold plan";
const DESCRIPTION = "A plan: phases that form a graph, each cut into shards that any number of workers run.";
/** Text of which a part is put in before the value is looked at. */
const REFERENCE: JsonObject = { type: "string", pattern: "\\$\\{[^{}]+\\}" };

/**
 * JSON Schema (draft 2020-12) of plan documents, for editors: generated from the schema that plans are checked with.
 * The list of phases may be called `steps`, and a string that refers to a variable is good wherever a string is.
 */
export function planJsonSchema(): Record<string, unknown> {
  const generated = parseJson(JSON.stringify(PlanSchema.toJSONSchema({ target: "draft-2020-12", io: "input" })));
  const { $schema = "", properties = {}, $defs = {}, required, ...rest } = isJsonObject(generated) ? generated : {};
  const { variables = {}, phases = {}, stages = {}, ...others } = isJsonObject(properties) ? properties : {};
  const list = { $ref: "#/$defs/phases" };
  const loose = allowReferences(others);
  return {
    $schema,
    title: TITLE,
    description: DESCRIPTION,
    ...rest,
    required: Array.isArray(required) ? required.filter((key) => key !== "phases") : [],
    anyOf: [{ required: ["phases"] }, { required: ["steps"] }, { required: ["stages"] }],
    not: { required: ["phases", "steps"] },
    properties: {
      ...(isJsonObject(loose) ? loose : {}),
      variables,
      phases: { ...list, description: "The phases of the plan, in the order of their declaration." },
      stages: allowReferences(withPhaseRefs(stages)),
      steps: { ...list, description: "Another name of `phases`; such a plan runs one shard at a time by default." },
    },
    $defs: {
      ...(isJsonObject($defs) ? $defs : {}),
      phase: allowReferences(isJsonObject(phases) ? (findField(phases, "items") ?? {}) : {}),
      phases: withPhaseRefs(phases),
    },
  };
}

/** The schema of stages with what it says of the phases in them said once, by the list of phases. */
function withPhaseRefs(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(withPhaseRefs);
  if (!isJsonObject(schema)) return schema;
  const properties = findField(schema, "properties");
  const isPhase = isJsonObject(properties ?? null) && findField(properties ?? null, "depends_on") !== undefined;
  if (isPhase) return { $ref: "#/$defs/phase" };
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withPhaseRefs(value)]));
}

/** Whether a schema says which strings are good, in a way that a text with a reference may not meet. */
function isNarrow(schema: JsonObject): boolean {
  return (
    findField(schema, "type") === "string" && ["pattern", "enum"].some((key) => findField(schema, key) !== undefined)
  );
}

/** The same schema with references allowed in the place of narrow strings. Names of keys stay as they are. */
function allowReferences(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(allowReferences);
  if (!isJsonObject(schema)) return schema;
  const entries = Object.entries(schema).map(([key, value]): [string, JsonValue] => [
    key,
    key === "propertyNames" ? value : allowReferences(value),
  ]);
  const inner = Object.fromEntries(entries);
  if (!isNarrow(schema)) return inner;
  const { description, default: fallback, ...strict } = inner;
  return {
    anyOf: [strict, REFERENCE],
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}
