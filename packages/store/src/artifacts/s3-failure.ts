import { StoreError } from "../store-error.ts";
import { describeObject, type S3Location } from "./s3-location.ts";

/** Names of errors that say: these credentials may not do that, or are none. */
const DENIED = new Set([
  "AccessDenied",
  "AccountProblem",
  "AllAccessDisabled",
  "CredentialsProviderError",
  "ExpiredToken",
  "Forbidden",
  "InvalidAccessKeyId",
  "InvalidToken",
  "SignatureDoesNotMatch",
]);
const HOW_TO_PERMIT =
  "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and that they permit s3:GetObject, PutObject, DeleteObject and ListBucket";

/**
 * What a failed request means, in a sentence: what was wrong, where, and what to do.
 *
 * @param verb what was tried, such as `read`
 */
export function s3Failure(location: S3Location, verb: string, key: string, cause: unknown): StoreError {
  const what = `cannot ${verb} ${describeObject(location, key)}`;
  const where = location.endpoint === undefined ? "" : ` at ${location.endpoint}`;
  const name = cause instanceof Error ? cause.name : "";
  const status = statusOf(cause);
  const refused = (why: string): StoreError => new StoreError("ARTIFACTS_REFUSED", `${what}: ${why}`, { cause });
  if (name === "NoSuchBucket") {
    return refused(`there is no bucket ${location.bucket}${where}; make it, or correct FANFOLD_ARTIFACTS`);
  }
  if (DENIED.has(name) || status === 401 || status === 403) {
    return refused(`access is denied${where} (${name || status}); ${HOW_TO_PERMIT}`);
  }
  if (name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed" || status === 301) {
    return refused(`the bucket is in another region${where}; set AWS_REGION to its region`);
  }
  const why = `${describe(cause)}${where}`;
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429) return refused(why);
  const next = "check FANFOLD_S3_ENDPOINT, AWS_REGION and the network, then retry";
  return new StoreError("ARTIFACTS_UNREACHABLE", `${what}: ${why}; ${next}`, { cause });
}

/** Whether a request failed because there is no such object. */
export function isNoObject(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === "NoSuchBucket") return false;
  return error.name === "NoSuchKey" || error.name === "NotFound" || statusOf(error) === 404;
}

/** Whether a range lies behind the end of its object. */
export function isBeyondEnd(error: unknown): boolean {
  return error instanceof Error && (error.name === "InvalidRange" || statusOf(error) === 416);
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  return first.message.includes(code) ? first.message : `${first.message || "no answer"} (${code})`;
}
