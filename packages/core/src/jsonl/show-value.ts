import type { JsonValue } from "./json-value.ts";

/** Characters of a bad text that a message quotes. */
const EXCERPT_CHARACTERS = 80;

/** Names a message lists before it only counts. */
export const LISTED_NAMES = 5;

/** Start of a text on one printable line: at most {@link EXCERPT_CHARACTERS} characters, `…` where it was cut. */
export function excerpt(text: string): string {
  const start = Array.from(text.slice(0, 2 * EXCERPT_CHARACTERS + 2));
  const shown = start
    .slice(0, EXCERPT_CHARACTERS)
    .join("")
    .replaceAll(/\p{Cc}/gu, "\u{fffd}");
  return start.length > EXCERPT_CHARACTERS ? `${shown}…` : shown;
}

/**
 * A value as messages print it: strings bare where that cannot be mistaken for another value (`line_7`), JSON
 * elsewhere (`7`, `"7"`, `"two words"`).
 */
export function showValue(value: JsonValue): string {
  if (typeof value === "string" && /^[^\s,;"()\p{Cc}]+$/u.test(value) && !isJsonText(value)) return excerpt(value);
  return excerpt(JSON.stringify(value));
}

/** The first {@link LISTED_NAMES} names, then how many more there are: `a, b, c, d, e (+3 more)`. */
export function listNames(names: Iterable<string>, total: number): string {
  const listed: string[] = [];
  for (const name of names) {
    if (listed.length === LISTED_NAMES) break;
    listed.push(name);
  }
  const rest = total - listed.length;
  return rest > 0 ? `${listed.join(", ")} (+${rest} more)` : listed.join(", ");
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
