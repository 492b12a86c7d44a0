/** How a word ends that makes a name the name of a credential: `password` itself, and `PGPASSWORD`. */
const CREDENTIAL_WORD = /(?:password|passwd|passphrase|pwd|secrets?|token|apikey|credentials?|privatekey|accesskey)$/;
/** Words that make the key after them a credential: `api_key`, `signing-key`. */
const KEY_WORDS = new Set(["api", "access", "private", "secret", "signing", "encryption", "ssh", "auth", "master"]);
/** A name that ends in one of these speaks about a credential, and is none: `TOKEN_LIMIT`, `PASSWORD_FILE`. */
const ABOUT_WORDS = new Set(
  "file path dir url uri name count limit ttl budget length size expiry type env min max price cost rate policy".split(
    " ",
  ),
);
/** Longest value of a name that is looked at, in characters; the patterns below are bounded by themselves. */
const MAX_NAME_LENGTH = 200;

/** Credentials that tell themselves apart by their form; each expression takes time in proportion to the text. */
const CREDENTIAL_FORMS: readonly RegExp[] = [
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bgh[oprsu]_[A-Za-z0-9]{16,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{16,}/g,
  /\bglpat-[A-Za-z0-9_-]{16,}/g,
  /\bxox[a-z]-[A-Za-z0-9-]{10,}/g,
  /(?<![A-Za-z0-9_-])sk-(?=[A-Za-z_-]{0,200}[0-9])[A-Za-z0-9_-]{16,}/g,
  /\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}/g,
  /\bAIza[0-9A-Za-z_-]{35}/g,
  /\bnpm_[A-Za-z0-9]{30,}/g,
  /\bhf_[A-Za-z0-9]{30,}/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@{}]{1,256}(?=@)/g,
];

/** What every such credential has in it: rules out most texts at the price of one look. */
const MAYBE_CREDENTIAL = /AKIA|ASIA|gh[oprsu]_|github_pat_|glpat-|xox|sk[-_]|rk_|AIza|npm_|hf_|eyJ|PRIVATE KEY|:\/\//;

/** A name, what stands between it and its value, and a value, as YAML, JSON and shells write them. */
const NAMED_VALUE =
  /(?<!\$\{|[\w.])([A-Za-z_][\w.-]{0,100})(["']?[ \t]{0,10}[:=][ \t]{0,10})("[^"\n]{1,2000}"?|'[^'\n]{1,2000}'?|(?:\$\{[^{}\n]*\}|[^\s"'{}[\],])+)/g;

/** Whether a name looks like that of a credential: `DB_PASSWORD`, `apiKey`, `github-token`. */
export function isCredentialName(name: string): boolean {
  const words = name
    .slice(0, MAX_NAME_LENGTH)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== "");
  if (ABOUT_WORDS.has(words.at(-1) ?? "")) return false;
  return words.some(
    (word, at) => CREDENTIAL_WORD.test(word) || (word === "key" && at > 0 && KEY_WORDS.has(words[at - 1] ?? "")),
  );
}

/** Texts within a text that have the form of a credential, as they stand there. */
export function findCredentials(text: string): string[] {
  return MAYBE_CREDENTIAL.test(text) ? CREDENTIAL_FORMS.flatMap((form) => text.match(form) ?? []) : [];
}

/** The text with everything that has the form of a credential replaced by as many stars. */
export function maskCredentials(text: string): string {
  if (!MAYBE_CREDENTIAL.test(text)) return text;
  let masked = text;
  for (const form of CREDENTIAL_FORMS) masked = masked.replace(form, stars);
  return masked;
}

/** A piece of source with the values of names that look like credentials replaced by as many stars. */
export function maskNamedCredentials(source: string): string {
  return source.replace(NAMED_VALUE, (whole: string, name: string, between: string, value: string) =>
    value.includes("${") || !isCredentialName(name) ? whole : `${name}${between}${stars(value)}`,
  );
}

/** As many stars as the text has characters; line breaks stay, and so do quotes around it. */
function stars(text: string): string {
  const quoteMark = /^(["']).*\1$/s.exec(text)?.[1] ?? "";
  const inner = text.slice(quoteMark.length, text.length - quoteMark.length);
  return `${quoteMark}${inner.replace(/[^\r\n]/g, "*")}${quoteMark}`;
}
