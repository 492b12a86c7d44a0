/** An answer that is not what was asked for, or no answer at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly why: string;
  readonly nextAction: string;
  readonly details: unknown;

  constructor(status: number, body: ErrorBody) {
    super(body.message ?? "the dashboard gave no reason");
    this.status = status;
    this.code = body.code ?? "UNKNOWN";
    this.why = body.why ?? "";
    this.nextAction = body.next_action ?? "";
    this.details = body.details;
  }
}

/** What the API says of an error; any of it may be missing where something else answered in its place. */
export interface ErrorBody {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly why?: string | null | undefined;
  readonly next_action?: string | null | undefined;
  readonly details?: unknown;
}

/** Anything thrown as an {@link ApiError}. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const message = "the dashboard does not answer";
  return new ApiError(0, { code: "UNREACHABLE", message, why, next_action: "the page tries again by itself" });
}
