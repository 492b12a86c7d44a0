/**
 * Fields of the events that every attempt has, in the order in which the journal keeps their values: without the names.
 * `emit` of `shard_started` in `lua/include/start.lua` and `block.lua` has the same order.
 */
const FIELDS: Readonly<Record<string, readonly string[] | undefined>> = {
  shard_started: ["worker", "revision"],
  shard_succeeded: ["duration_ms", "output_bytes", "revision", "usage"],
};

/** Text under which the journal keeps the data of an event. */
export function eventText(event: string, data: object): string {
  const told = new Map<string, unknown>(Object.entries(data));
  const values = (FIELDS[event] ?? []).slice(0, told.size).map((name) => told.get(name));
  const isAllOfIt = values.length === told.size && !values.includes(undefined);
  return JSON.stringify(isAllOfIt && told.size > 0 ? values : data);
}

/** Data of an event, from the text under which the journal keeps it. */
export function parseEventData(event: string, text: string): unknown {
  const value: unknown = JSON.parse(text);
  const fields = FIELDS[event];
  if (fields === undefined || !Array.isArray(value)) return value;
  return Object.fromEntries(fields.slice(0, value.length).map((name, i) => [name, value[i]]));
}
