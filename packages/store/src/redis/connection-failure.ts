import { StoreError, type StoreErrorCode } from "../store-error.ts";
import { findRefusal, describeRefusal } from "./refusal.ts";

type Verdict = readonly [pattern: RegExp, code: StoreErrorCode, sentence: string];

/** What a server, or TLS, says when it does not let a client in, and what that means. First match counts. */
const VERDICTS: readonly Verdict[] = [
  [
    /All sentinels.*(?:NOAUTH|WRONGPASS)/,
    "REDIS_REFUSED",
    "has Sentinels that want a login of their own; set FANFOLD_SENTINEL_PASSWORD, and FANFOLD_SENTINEL_USERNAME where there are users",
  ],
  [
    /No such master with that name/,
    "REDIS_REFUSED",
    "has Sentinels that know no master of that name; they tell the names they know: redis-cli -p 26379 SENTINEL masters",
  ],
  [
    /\bWRONGPASS\b|invalid (?:username|password)/i,
    "REDIS_REFUSED",
    "does not accept the user or the password; correct them in REDIS_URL: redis://user:password@host:port, with special characters URL-encoded",
  ],
  [
    /\bNOAUTH\b/,
    "REDIS_REFUSED",
    "wants a password; write redis://user:password@host:port, or redis://:password@host:port",
  ],
  [
    /\bDENIED\b/,
    "REDIS_REFUSED",
    "is in protected mode and talks to its own machine only; give it a password (requirepass, or an ACL user) and name that in REDIS_URL",
  ],
  [
    /DB index is out of range|invalid DB index/i,
    "REDIS_REFUSED",
    "has no database of that number; take a lower one, or raise its setting databases",
  ],
  [
    /SELECT is not allowed in cluster mode/i,
    "REDIS_REFUSED",
    "is a node of a cluster, which has database 0 only; write redis+cluster://host:port",
  ],
  [/max number of clients/i, "REDIS_REFUSED", "has no room for another connection; raise its setting maxclients"],
  [/cluster support disabled/i, "REDIS_UNSUITABLE", "is no cluster; write redis:// instead of redis+cluster://"],
  [
    /unknown command '?`?sentinel/i,
    "REDIS_UNSUITABLE",
    "is no Sentinel; name the Sentinels' own ports (26379 where nobody changed them), or write redis:// for a single server",
  ],
  [
    /wrong version number|packet length too long|EPROTO|unexpected message/i,
    "REDIS_REFUSED",
    "does not speak TLS on this port; write redis:// instead of rediss://, or name its TLS port",
  ],
  [
    /self.signed certificate|unable to (?:verify|get)|unknown ca/i,
    "REDIS_REFUSED",
    "has a certificate that nobody vouches for; name the file of its certificate authority in FANFOLD_REDIS_CA",
  ],
  [
    /altnames|does not match certificate/i,
    "REDIS_REFUSED",
    "has a certificate for another name; use the name that stands in the certificate",
  ],
  [
    /certificate has expired|not yet valid/i,
    "REDIS_REFUSED",
    "has a certificate that is not valid now; renew it, or correct the clock",
  ],
  [
    /certificate required|handshake failure|bad certificate/i,
    "REDIS_REFUSED",
    "wants a certificate of the client, or refuses the one it got; name its files in FANFOLD_REDIS_CERT and FANFOLD_REDIS_KEY",
  ],
];

/** Older servers say it in other words when it happens inside a script. */
const NOT_PERMITTED = /\bNOPERM\b|user executing the script can't/;

/** What is known of a connection that failed. */
export interface FailedConnection {
  readonly where: string;
  readonly isTls: boolean;
}

/** The failure of a connection in one line: what, where, what next. Never tells a password. */
export function connectionFailure(error: unknown, { where, isTls }: FailedConnection): StoreError {
  if (error instanceof StoreError) return error;
  const words = wordsOf(error);
  const verdict = VERDICTS.find(([pattern]) => pattern.test(words));
  if (verdict !== undefined) return new StoreError(verdict[1], `redis at ${where} ${verdict[2]}`, { cause: error });
  if (NOT_PERMITTED.test(words)) return new StoreError("REDIS_REFUSED", notPermitted(where, words), { cause: error });
  const refusal = findRefusal(error);
  if (refusal !== undefined) {
    return new StoreError("REDIS_UNSUITABLE", `redis at ${where} ${describeRefusal(refusal)}`, { cause: error });
  }
  return new StoreError("REDIS_UNREACHABLE", unreachable(where, words, isTls), { cause: error });
}

/** Whether trying again may help: a server that is just starting, or a network that hiccups. */
export function isPassing(error: unknown): boolean {
  const words = wordsOf(error);
  return (
    !VERDICTS.some(([pattern]) => pattern.test(words)) && !NOT_PERMITTED.test(words) && !words.includes("ENOTFOUND")
  );
}

function unreachable(where: string, why: string, isTls: boolean): string {
  const hint = hintFor(why, isTls);
  return `redis at ${where} cannot be reached (${why})${hint}; check that it runs and that REDIS_URL is right, or unset REDIS_URL to use an embedded one`;
}

function hintFor(why: string, isTls: boolean): string {
  if (isTls && /ETIMEDOUT|no answer|before secure/i.test(why))
    return "; perhaps it does not speak TLS: then write redis://";
  if (isTls && /ECONNRESET|EPIPE|closed/i.test(why)) {
    return "; perhaps it wants a certificate of the client: then name its files in FANFOLD_REDIS_CERT and FANFOLD_REDIS_KEY";
  }
  if (!isTls && /ECONNRESET|EPIPE|closed/i.test(why)) {
    return "; perhaps it wants TLS: then write rediss://, or has no room for another connection (maxclients)";
  }
  return "";
}

function notPermitted(where: string, words: string): string {
  return `redis at ${where} does not permit its user what Fanfold does (${words}); docs/redis.md has the rule to give it`;
}

/** Everything an error says, and what caused it. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const deeper = "lastNodeError" in error ? error.lastNodeError : error.cause;
  const code =
    "code" in error && typeof error.code === "string" && !error.message.includes(error.code) ? error.code : "";
  const own = [error.message, code].filter((text) => text !== "").join(" ");
  return deeper instanceof Error ? `${own}: ${wordsOf(deeper)}` : own;
}
