import { GlobalsSchema, PhaseSchema, PlanSchema } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { planJsonSchema } from "../../src/plan/plan-json-schema.ts";

type Schema = Record<string, unknown>;

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema at a path, `$ref` and lists of items followed. */
function at(schema: unknown, ...path: string[]): Schema {
  const root = planJsonSchema();
  let found: unknown = schema;
  for (const key of ["", ...path]) {
    if (key !== "") found = isSchema(found) ? found[key] : undefined;
    const ref = isSchema(found) ? found["$ref"] : undefined;
    if (typeof ref === "string")
      found = ref
        .slice(2)
        .split("/")
        .reduce<unknown>((value, part) => (isSchema(value) ? value[part] : undefined), root);
  }
  if (!isSchema(found)) throw new Error(`no schema at ${path.join(".")}`);
  return found;
}

function* everySchema(value: unknown): Generator<Schema> {
  if (Array.isArray(value)) for (const item of value) yield* everySchema(item);
  if (!isSchema(value)) return;
  yield value;
  for (const inner of Object.values(value)) yield* everySchema(inner);
}

describe("the JSON Schema of plans", () => {
  const schema = planJsonSchema();

  test("is one of draft 2020-12 with a title and no id, and stands on its own", () => {
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "Fanfold plan",
      type: "object",
      additionalProperties: false,
    });
    const defs = Object.keys(at(schema, "$defs")).map((name) => `#/$defs/${name}`);
    for (const inner of everySchema(schema)) {
      expect(inner).not.toHaveProperty("$id");
      const ref = inner["$ref"];
      if (typeof ref === "string") expect(defs).toContain(ref);
    }
  });

  test("has every field of a plan, of its globals and of a phase, each with a description", () => {
    const fields = (...path: string[]) => at(schema, ...path, "properties");
    expect(Object.keys(fields()).sort()).toEqual([...Object.keys(PlanSchema.shape), "steps"].sort());
    expect(Object.keys(fields("properties", "globals"))).toEqual(Object.keys(GlobalsSchema.shape));
    const phase = at(schema, "properties", "phases", "items");
    expect(Object.keys(at(phase, "properties"))).toEqual(Object.keys(PhaseSchema.shape));
    for (const group of [
      fields(),
      fields("properties", "globals"),
      at(phase, "properties"),
      at(phase, "properties", "merge", "properties"),
    ]) {
      for (const [name, field] of Object.entries(group)) {
        expect({ name, description: isSchema(field) ? field["description"] : undefined }).toEqual({
          name,
          description: expect.stringMatching(/\w/),
        });
      }
    }
  });

  test("accepts steps as well as phases, one of them", () => {
    expect(schema).toMatchObject({
      required: ["plan_id", "version"],
      anyOf: [{ required: ["phases"] }, { required: ["steps"] }, { required: ["stages"] }],
      not: { required: ["phases", "steps"] },
    });
    expect(at(schema, "properties", "steps")).toEqual(at(schema, "properties", "phases"));
    expect(at(schema, "properties", "phases")).toMatchObject({ type: "array", minItems: 1 });
  });

  test("accepts a reference wherever a string is checked, as it is put in before the check", () => {
    const phase = at(schema, "properties", "phases", "items", "properties");
    const reference = { type: "string", pattern: "\\$\\{[^{}]+\\}" };
    expect(phase["pool"]).toMatchObject({ anyOf: [{ type: "string", pattern: expect.any(String) }, reference] });
    expect(phase["on_failure"]).toMatchObject({
      anyOf: [{ enum: ["abort", "skip_dependents", "continue"] }, reference],
      description: expect.any(String),
    });
    expect(phase["command"]).toMatchObject({ type: "string", minLength: 1 });
    expect(at(schema, "properties", "variables", "additionalProperties", "properties", "type")).toMatchObject({
      enum: ["string", "number", "boolean", "enum"],
    });
    expect(JSON.stringify(at(schema, "properties", "variables"))).not.toContain(JSON.stringify(reference));
  });

  test("is the same each time, and JSON", () => {
    expect(planJsonSchema()).toEqual(schema);
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });
});
