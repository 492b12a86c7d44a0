import { either, repeat, run, sequence, type TextShape } from "./text-shape.ts";

/** Longest value behind a name that is taken for a credential. */
const MAX_VALUE_CHARS = 4_096;
/** Shortest value of a token or a key, and of a header. */
const MIN_TOKEN_CHARS = 8;
const MIN_HEADER_CHARS = 12;

/** Words whose value is a credential whatever it looks like. */
const PASSWORDS = ["password", "passwd", "passphrase"];
/** Words that also stand in ordinary text: their value has to look like a credential. */
const TOKENS = ["secret", "token"];
/** Words that make a `key` behind them a credential. */
const KEYS = ["api", "access", "secret", "private", "signing", "encryption", "auth", "master"];

/** A word in small and capital letters, mixed as they like. */
function word(text: string): TextShape {
  return sequence(...Array.from(text, (char) => run(`[${char}${char.toUpperCase()}]`, 1, 1)));
}

const KEY = sequence(either(...KEYS.map(word)), run("[_-]", 0, 1), word("key"));

/** What stands between a name and its value: `=`, `: `, `": `, `\": `. */
const SEPARATOR = sequence(
  run("\\\\", 0, 2),
  run("[\"']", 0, 1),
  run("[ \\t]", 0, 4),
  run("[:=]", 1, 1),
  run(">", 0, 1),
  run("[ \\t]", 0, 4),
);

const BARE = "[^\\x00-\\x20\"'`,;&)}\\]<>\\\\]";
const BARE_START = "[^\\x00-\\x20\"'`,;&)}\\]<>\\\\=:]";

const BARE_VALUE = sequence(run(BARE_START, 1, 1), run(BARE, 0, MAX_VALUE_CHARS));

/** A value in quotes, without the closing one; it may have spaces in it. */
const QUOTED_VALUE = either(
  ...['"', "'"].map((mark) =>
    sequence(run("\\\\", 0, 2), run(mark, 1, 1), run(`[^${mark}\\\\\\r\\n]`, 1, MAX_VALUE_CHARS)),
  ),
);

const NAMED = sequence(
  either(...PASSWORDS.map(word), ...TOKENS.map(word), KEY),
  SEPARATOR,
  either(QUOTED_VALUE, BARE_VALUE),
);

/** A header with a scheme of any name, or none. */
const HEADER = sequence(
  word("authorization"),
  SEPARATOR,
  run("\\\\", 0, 2),
  run("[\"']", 0, 1),
  repeat(sequence(run("[A-Za-z]", 1, 1), run("[\\w-]", 0, 30), run("[ \\t]", 1, 4)), 0, 1),
  BARE_VALUE,
);

/** A value whose name may say that it is a credential; {@link isNamedCredential} decides. */
export const NAMED_CREDENTIAL: TextShape = either(NAMED, HEADER);

/** What each of them begins with. */
export const NAMED_CREDENTIAL_MARKS = [...PASSWORDS.map(word), ...TOKENS.map(word), KEY, word("authorization")]
  .map(({ whole }) => whole)
  .join("|");

/** What is kept of one: the name, what follows it up to the value, and the scheme of a header. */
const HEAD =
  /^(?:authorization\\{0,2}["']?[ \t]*[:=]>?[ \t]*\\{0,2}["']?(?:[A-Za-z][\w-]{0,30}[ \t]{1,4})?|[a-z_-]+\\{0,2}["']?[ \t]*[:=]>?[ \t]*(?:\\{0,2}["'])?)/i;

/** The name and all that stands before the value. */
export function headOfNamed(found: string): string {
  return HEAD.exec(found)?.[0] ?? "";
}

/**
 * Whether a text of that shape is a credential. That of a password is, unless it looks like prose: without a digit,
 * and with more words behind it. Any other has a digit and is long enough for one.
 *
 * @param next what stands behind it; empty at the end of the text
 */
export function isNamedCredential(found: string, next: string): boolean {
  const head = headOfNamed(found);
  const name = /^[a-z]+/i.exec(head)?.[0].toLowerCase() ?? "";
  const value = found.slice(head.length);
  const hasDigit = /[0-9]/.test(value);
  if (PASSWORDS.includes(name)) return hasDigit || /["']$/.test(head) || !/[ \t]/.test(next);
  // a stream is looked at byte by byte, a text character by character: both count the same of these
  const length = value.replace(/[^\x21-\x7e]/g, "").length;
  return hasDigit && length >= (name === "authorization" ? MIN_HEADER_CHARS : MIN_TOKEN_CHARS);
}
