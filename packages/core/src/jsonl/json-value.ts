/** Any value JSON can spell. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object: the shape of a record. */
export interface JsonObject {
  [field: string]: JsonValue;
}

/**
 * Value that a JSON text spells.
 *
 * @throws {SyntaxError} when the text is not JSON
 */
export function parseJson(text: string): JsonValue {
  const value: JsonValue = JSON.parse(text);
  return value;
}

/** Whether a JSON value is an object, and not an array or null. */
export function isJsonObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field the record itself carries; `undefined` for everything else, such as `constructor` of a plain object. */
export function findField(value: JsonValue, field: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, field) ? value[field] : undefined;
}

/**
 * JSON text that is the same for equal JSON values only: fields of objects are sorted, nothing is indented. Number 1
 * (`1`) and string "1" (`"1"`) differ; 1, 1.0 and 1e0 do not.
 */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([field, item]): [string, string] => [field, canonicalJson(item)]);
  fields.sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([field, item]) => `${JSON.stringify(field)}:${item}`).join(",")}}`;
}
