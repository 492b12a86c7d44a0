import type { ApiError, ApiErrorCode } from "@fanfold/schemas";
import { z } from "zod";

/** HTTP status of each code. */
const STATUS_OF: Record<ApiErrorCode, number> = {
  INVALID_REQUEST: 400,
  INVALID_PLAN: 400,
  LOGIN_NEEDED: 401,
  LOGIN_REFUSED: 401,
  FORBIDDEN: 403,
  FOREIGN_ORIGIN: 403,
  NOT_FOUND: 404,
  STATE_CONFLICT: 409,
  TOO_LARGE: 413,
  TOO_MANY_REQUESTS: 429,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

/** What there is to say beside the message. */
export interface FailureFacts extends ErrorOptions {
  readonly why?: string;
  readonly nextAction?: string;
  readonly details?: readonly unknown[];
}

/** A request that is answered with an error. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly code: ApiErrorCode;
  readonly #facts: FailureFacts;

  constructor(code: ApiErrorCode, message: string, facts: FailureFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.#facts = facts;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }

  /** The answer's body. */
  body(): ApiError {
    const { why = null, nextAction = null, details = [] } = this.#facts;
    const plain = z.array(z.json()).parse(JSON.parse(JSON.stringify(details)));
    return { error: { code: this.code, message: this.message, why, next_action: nextAction, details: plain } };
  }
}
