import type { Failure } from "@fanfold/schemas";

/** Every `error_code` a failed attempt can carry. */
export type AttemptErrorCode =
  | "ARGUMENTS_TOO_LONG"
  | "ARTIFACT_CONFLICT"
  | "ARTIFACT_INVALID"
  | "ARTIFACT_MISSING"
  | "ARTIFACT_UNDECLARED"
  | "CANCELLED"
  | "COLLECT_FAILED"
  | "COLLECT_LIMIT"
  | "COMMAND_NOT_ALLOWED"
  | "COMMAND_NOT_EXECUTABLE"
  | "COMMAND_NOT_FOUND"
  | "CWD_NOT_FOUND"
  | "EXIT_NONZERO"
  | "HANDLER_ERROR"
  | "HANDLER_INVALID"
  | "HANDLER_NOT_ALLOWED"
  | "HANDLER_NOT_FOUND"
  | "INVALID_OUTPUT"
  | "KILLED"
  | "LIMIT_EXCEEDED"
  | "PATH_OUTSIDE_WORKSPACE"
  | "PROMPT_IMMUTABLE"
  | "SECRET_INVALID"
  | "SECRET_IN_OUTPUT"
  | "SECRET_NOT_FOUND"
  | "SECRET_TOO_SHORT"
  | "SPAWNER_LOST"
  | "SPAWN_FAILED"
  | "SPAWN_INVALID"
  | "SPAWN_LIMIT"
  | "TIMED_OUT"
  | "WORKER_ERROR";

/** What a failure may tell beyond its code and its reason. */
export type FailureDetails = Omit<Failure, "error_code" | "why">;

/** Longest `why` of a failure, in characters. */
const MAX_WHY_CHARS = 4096;

/** Why an attempt did not succeed; {@link runAttempt} turns it into the outcome's failure. */
export class AttemptError extends Error {
  override readonly name = "AttemptError";
  readonly code: AttemptErrorCode;
  readonly #details: FailureDetails;

  constructor(code: AttemptErrorCode, why: string, details: FailureDetails = {}) {
    super(why);
    this.code = code;
    this.#details = details;
  }

  /** The same error, with the place where it is before its reason. */
  at(place: string): AttemptError {
    return new AttemptError(this.code, `${place}: ${this.message}`, this.#details);
  }

  /**
   * The failure as it is stored: bounded text.
   *
   * @param mask keeps secrets out of a text; it sees the text before it is cut
   */
  toFailure(mask: (text: string) => string): Failure {
    const text = mask(this.message);
    const why = text.length > MAX_WHY_CHARS ? `${text.slice(0, MAX_WHY_CHARS - 1)}…` : text;
    const { next_action: advice, ...details } = this.#details;
    return { error_code: this.code, why, ...(advice === undefined ? {} : { next_action: mask(advice) }), ...details };
  }
}

/** The error itself when it says what happened, otherwise a `WORKER_ERROR`: trouble of the worker, not of the plan. */
export function toAttemptError(error: unknown): AttemptError {
  if (error instanceof AttemptError) return error;
  return new AttemptError("WORKER_ERROR", `the worker could not carry out the attempt: ${describeError(error)}`, {
    next_action: "check the worker's disk space, memory and limits, then retry",
  });
}

/** Message of whatever was thrown, with the name and the code of the error where they say more than the message. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return describeValue(error);
  const code = errorCode(error);
  const name = error.name === "Error" ? "" : error.name;
  const label = code === undefined || error.message.includes(code) ? name : `${name || "Error"} [${code}]`;
  if (label === "") return error.message || "an error without a message";
  return error.message === "" ? label : `${label}: ${error.message}`;
}

/** `code` of an error, such as `ENOENT`, when it has one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
