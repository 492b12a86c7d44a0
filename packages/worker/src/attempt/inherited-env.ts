/** Start of the names of the environment variables that hold a worker's secrets. */
export const SECRET_ENV_PREFIX = "FANFOLD_SECRET_";

/** What no command inherits: the secrets of plans, and those of the deployment. */
const OWN_SECRETS = [
  `${SECRET_ENV_PREFIX}*`,
  "FANFOLD_SIGNING_KEY",
  "FANFOLD_USERS",
  "FANFOLD_TOKENS",
  "FANFOLD_SESSION_KEY",
  "REDIS_URL",
];

/** What a command hardly works without; it is inherited even when the worker names what it passes on. */
const USUAL = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR"];

const isSecret = nameMatcher(OWN_SECRETS);
/** Matchers by the list they are made of, which is the same for all commands of a worker. */
const matchers = new WeakMap<readonly string[], (name: string) => boolean>();

/**
 * Variables of the worker that its commands inherit: all but the secrets of Fanfold itself, or, when the worker names
 * what it passes on, those and the usual ones.
 *
 * @param passed names, with `*` for any text; null passes on everything
 */
export function inheritedEnv(workerEnv: NodeJS.ProcessEnv, passed: readonly string[] | null): Record<string, string> {
  const isPassed = passed === null ? () => true : matcherOf(passed);
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(workerEnv)) {
    if (value !== undefined && isPassed(name) && !isSecret(name)) env[name] = value;
  }
  return env;
}

function matcherOf(passed: readonly string[]): (name: string) => boolean {
  const matcher = matchers.get(passed) ?? nameMatcher([...USUAL, ...passed]);
  matchers.set(passed, matcher);
  return matcher;
}

function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const wanted = patterns.map((pattern) => pattern.split("*").map(escapeRegExp).join(".*"));
  const expression = new RegExp(`^(?:${wanted.join("|")})$`, "s");
  return (name) => expression.test(name);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
