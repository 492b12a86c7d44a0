/** What may come next in a JSON text. */
type Expected = "value" | "value or close" | "key" | "key or close" | "colon" | "comma or close" | "end";

const BLANKS = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;
/** What a string holds as it is: everything but control characters, quotes and backslashes. */
const PLAIN_CHARACTERS = /[ !#-[\]-\uffff]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Offset of the first character that cannot continue a JSON text (RFC 8259), its length if the text ends too early,
 * `undefined` if it is valid. JavaScript engines agree on what is invalid, but not all of them say where.
 */
export function findJsonError(text: string): number | undefined {
  const open: string[] = [];
  let expected: Expected | undefined = "value";
  let at = matchEnd(BLANKS, text, 0) ?? 0;
  while (at < text.length) {
    const end = tokenEnd(text, at);
    if (end === undefined) return at;
    expected = expectedAfter(text.charAt(at), expected, open);
    if (expected === undefined) return at;
    at = matchEnd(BLANKS, text, end) ?? end;
  }
  return expected === "end" ? undefined : text.length;
}

/** Where the token at an offset ends; `undefined` if there is none. */
function tokenEnd(text: string, at: number): number | undefined {
  const first = text.charAt(at);
  if ("{}[],:".includes(first)) return at + 1;
  return first === '"' ? stringEnd(text, at + 1) : matchEnd(SCALAR, text, at);
}

function stringEnd(text: string, from: number): number | undefined {
  let at = matchEnd(PLAIN_CHARACTERS, text, from) ?? from;
  while (text.charAt(at) !== '"') {
    const escapeEnd = matchEnd(ESCAPE, text, at);
    if (escapeEnd === undefined) return undefined;
    at = matchEnd(PLAIN_CHARACTERS, text, escapeEnd) ?? escapeEnd;
  }
  return at + 1;
}

function matchEnd(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** What may follow a token that starts with `first`; `undefined` if the token itself may not come. Updates `open`. */
function expectedAfter(first: string, expected: Expected, open: string[]): Expected | undefined {
  switch (expected) {
    case "end":
      return undefined;
    case "colon":
      return first === ":" ? "value" : undefined;
    case "comma or close":
      if (first === ",") return open.at(-1) === "{" ? "key" : "value";
      return afterClose(first, open);
    case "key":
    case "key or close":
      if (first === '"') return "colon";
      return expected === "key" ? undefined : afterClose(first, open);
    case "value":
    case "value or close":
      if (first === "{" || first === "[") {
        open.push(first);
        return first === "{" ? "key or close" : "value or close";
      }
      if (!"}],:".includes(first)) return afterValue(open);
      return expected === "value" ? undefined : afterClose(first, open);
    default:
      return expected satisfies never;
  }
}

function afterClose(first: string, open: string[]): Expected | undefined {
  if (first !== (open.at(-1) === "{" ? "}" : "]")) return undefined;
  open.pop();
  return afterValue(open);
}

function afterValue(open: string[]): Expected {
  return open.length === 0 ? "end" : "comma or close";
}
