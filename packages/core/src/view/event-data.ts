/** What an event carries besides its place: fields differ from event to event, and any may be missing. */
export type EventData = Readonly<Record<string, unknown>>;

/** Field as text, or `undefined` when it is missing, empty or of another type. */
export function readText(data: EventData | undefined, field: string): string | undefined {
  const value = data?.[field];
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Field as a finite number, or `undefined` when it is missing or of another type. */
export function readNumber(data: EventData | undefined, field: string): number | undefined {
  const value = data?.[field];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Strings of a list field; empty when it is missing or of another type. */
export function readTexts(data: EventData | undefined, field: string): readonly string[] {
  const value = data?.[field];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** Objects of a list field; empty when it is missing or of another type. */
export function readObjects(data: EventData | undefined, field: string): readonly EventData[] {
  const value = data?.[field];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Field as an object, or `undefined` when it is missing or of another type. */
export function readObject(data: EventData | undefined, field: string): EventData | undefined {
  const value = data?.[field];
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is EventData {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
