import type { EngineErrorCode } from "@fanfold/engine";
import { EngineError } from "@fanfold/engine";
import type { ApiErrorCode } from "@fanfold/schemas";
import { StoreError, type StoreErrorCode } from "@fanfold/store";
import type { z } from "zod";
import { ApiFailure } from "./api-failure.ts";

const ENGINE_CODES: Record<EngineErrorCode, ApiErrorCode> = {
  INVALID_RUN_ID: "INVALID_REQUEST",
  INVALID_CURSOR: "INVALID_REQUEST",
  UNKNOWN_PHASE: "NOT_FOUND",
  UNKNOWN_REVISION: "NOT_FOUND",
  UNKNOWN_ARTIFACT: "NOT_FOUND",
  RUN_CANCELLED: "STATE_CONFLICT",
  RUN_OVER: "STATE_CONFLICT",
  PHASE_OVER: "STATE_CONFLICT",
  NOT_AN_APPROVAL: "INVALID_REQUEST",
  NOT_ASKED: "STATE_CONFLICT",
  COMMENT_TOO_LONG: "INVALID_REQUEST",
  RUN_LIVE: "STATE_CONFLICT",
  RUN_BUSY: "STATE_CONFLICT",
  UNKNOWN_TEMPLATE: "NOT_FOUND",
  INVALID_TEMPLATE: "INVALID_REQUEST",
  BUILT_IN_TEMPLATE: "STATE_CONFLICT",
  TEMPLATE_EXISTS: "STATE_CONFLICT",
  TEMPLATE_NOT_TRUSTED: "STATE_CONFLICT",
  RERUN_REFUSED: "STATE_CONFLICT",
  PHASE_BUSY: "STATE_CONFLICT",
  NOTHING_TO_RETRY: "STATE_CONFLICT",
};

const STORE_CODES: Partial<Record<StoreErrorCode, ApiErrorCode>> = {
  RUN_NOT_FOUND: "NOT_FOUND",
  ARTIFACT_NOT_FOUND: "NOT_FOUND",
  PLAN_ALTERED: "STATE_CONFLICT",
  REDIS_UNREACHABLE: "UNAVAILABLE",
  ARTIFACTS_UNREACHABLE: "UNAVAILABLE",
  ARTIFACTS_REFUSED: "UNAVAILABLE",
};

/** What Express' body parser says of a body it does not take. */
const BODY_CODES: Readonly<Record<string, readonly [code: ApiErrorCode, message: string]>> = {
  "entity.too.large": ["TOO_LARGE", "the body is too large"],
  "entity.parse.failed": ["INVALID_REQUEST", "the body is not JSON"],
  "encoding.unsupported": ["INVALID_REQUEST", "the body's encoding is not known"],
  "charset.unsupported": ["INVALID_REQUEST", "the body's charset is not known"],
  "request.size.invalid": ["INVALID_REQUEST", "the body is not as long as announced"],
};

/** The answer to a request that failed. What nobody foresaw says nothing of its inside. */
export function failureOf(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  if (error instanceof EngineError) return new ApiFailure(ENGINE_CODES[error.code], error.message, { cause: error });
  if (error instanceof StoreError) {
    const code = STORE_CODES[error.code];
    if (code !== undefined) return new ApiFailure(code, error.message, { cause: error });
  }
  if (error instanceof URIError) return new ApiFailure("INVALID_REQUEST", "the address is not encoded well");
  return failureOfBody(error) ?? unforeseen(error);
}

function failureOfBody(error: unknown): ApiFailure | undefined {
  if (!(error instanceof Error) || !("type" in error) || typeof error.type !== "string") return undefined;
  const known = BODY_CODES[error.type];
  return known === undefined ? undefined : new ApiFailure(known[0], known[1], { cause: error });
}

function unforeseen(cause: unknown): ApiFailure {
  const nextAction = "look into the dashboard's log";
  return new ApiFailure("INTERNAL", "something went wrong that should not", { nextAction, cause });
}

/**
 * Reads a part of a request.
 *
 * @param part what it is called in the error: `query`, `body`, `path`
 * @throws {ApiFailure} INVALID_REQUEST naming everything that is wrong
 */
export function readPart<Schema extends z.ZodType>(schema: Schema, value: unknown, part: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const details = result.error.issues.map(({ path, message }) => ({ in: part, path: path.map(String), message }));
  const [first] = details;
  const place = first === undefined || first.path.length === 0 ? part : `${part} ${first.path.join(".")}`;
  throw new ApiFailure("INVALID_REQUEST", `${place}: ${first?.message ?? "not valid"}`, { details });
}
