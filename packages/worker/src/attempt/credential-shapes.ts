import { bounded, either, literal, repeat, run, sequence, type TextShape } from "./text-shape.ts";

/** Longest token that is taken for one; the issuers named here make shorter ones. */
const MAX_TOKEN_CHARS = 250;

const BREAK = either(run("[ \\t\\r\\n]", 1, 1), sequence(run("\\\\", 1, 2), run("[nr]", 1, 1)));
const KEY_LINE = sequence(run("[A-Za-z0-9+/]", 24, 200), run("=", 0, 2));
const KEY_HEADER = sequence(either(literal("Proc-Type: "), literal("DEK-Info: ")), run("[A-Za-z0-9,-]", 1, 80));
const KEY_LABEL = sequence(run("[A-Z0-9 ]", 0, 40), literal("PRIVATE KEY-----"));

/** A private key in PEM, also inside a JSON string; cut off, as far as it goes. */
const PRIVATE_KEY = sequence(
  literal("-----BEGIN "),
  KEY_LABEL,
  repeat(sequence(repeat(BREAK, 1, 40), either(KEY_HEADER, KEY_LINE)), 0, 300),
  repeat(
    sequence(
      repeat(BREAK, 0, 40),
      run("[A-Za-z0-9+/]", 0, 24),
      run("=", 0, 2),
      repeat(BREAK, 0, 40),
      literal("-----END "),
      KEY_LABEL,
    ),
    0,
    1,
  ),
);

/** A word that begins with the prefix of an issuer. Words of other texts, such as base64, do not. */
function token(prefix: TextShape, rest: TextShape, needs = ""): TextShape {
  const { whole, beginning } = sequence(prefix, rest);
  return bounded("(?<![\\w-])", { whole: `${needs}${whole}`, beginning }, "(?![\\w-])");
}

const TOKENS = either(
  token(sequence(literal("A"), run("[KS]", 1, 1), literal("IA")), run("[A-Z0-9]", 16, 16)),
  token(sequence(literal("gh"), run("[oprsu]", 1, 1), literal("_")), run("[A-Za-z0-9]", 20, MAX_TOKEN_CHARS)),
  token(literal("github_pat_"), run("\\w", 20, MAX_TOKEN_CHARS)),
  token(sequence(literal("xox"), run("[abp]", 1, 1), literal("-")), run("[A-Za-z0-9-]", 10, MAX_TOKEN_CHARS)),
  // "sk-" also begins names ("sk" is Slovak): a key has a long run of letters and digits mixed
  token(
    literal("sk-"),
    run("[\\w-]", 20, MAX_TOKEN_CHARS),
    `(?=[\\w-]{0,${MAX_TOKEN_CHARS}}?(?=[A-Za-z]{0,${MAX_TOKEN_CHARS}}[0-9])[A-Za-z0-9]{16})`,
  ),
);

const AUTHORIZATION = bounded(
  "(?<![A-Za-z])",
  sequence(
    either(sequence(run("[Aa]", 1, 1), literal("uthorization")), literal("AUTHORIZATION")),
    run("[\\\\\"' \\t:=,>]", 1, 12),
    either(
      sequence(run("[Bb]", 1, 1), either(literal("earer"), literal("asic"))),
      sequence(run("[Tt]", 1, 1), literal("oken")),
    ),
    run("[ \\t]", 1, 4),
    run("[A-Za-z0-9._~+/=-]", 8, 16_384),
  ),
);

/** From the end of the scheme to the "@": a password cannot be told from a port before it is there. */
const URL_PASSWORD = bounded(
  "(?<=[A-Za-z0-9+.-])",
  sequence(
    literal("://"),
    run("[^\\x00-\\x20/:@\"'<>`]", 0, 256),
    literal(":"),
    run("[^\\x00-\\x20/\"'<>`]", 1, 512),
    literal("@"),
  ),
);

/**
 * Text that looks like a credential. Every shape begins with one of {@link CREDENTIAL_MARKS}, looks at no more than
 * one character before it, and spans a bounded length.
 */
export const CREDENTIAL: TextShape = either(TOKENS, PRIVATE_KEY, AUTHORIZATION, URL_PASSWORD);

/** What a text without any of them lacks, it has no credential. */
export const CREDENTIAL_MARKS =
  "A[KS]IA|gh[oprsu]_|github_pat_|xox[abp]-|sk-|-----BEGIN |[Aa]uthorization|AUTHORIZATION|://";

/** Longest text that {@link CREDENTIAL_MARKS}, or those of named credentials, match. */
export const MAX_MARK_CHARS = 14;
