/** Why the engine refused a request. */
export type EngineErrorCode =
  | "INVALID_RUN_ID"
  | "INVALID_CURSOR"
  | "RUN_CANCELLED"
  | "NOTHING_TO_RETRY"
  | "UNKNOWN_PHASE"
  | "UNKNOWN_REVISION"
  | "UNKNOWN_ARTIFACT"
  | "PHASE_OVER"
  | "NOT_AN_APPROVAL"
  | "NOT_ASKED"
  | "COMMENT_TOO_LONG"
  | "RUN_OVER"
  | "RUN_LIVE"
  | "RUN_BUSY"
  | "UNKNOWN_TEMPLATE"
  | "INVALID_TEMPLATE"
  | "BUILT_IN_TEMPLATE"
  | "TEMPLATE_EXISTS"
  | "TEMPLATE_NOT_TRUSTED"
  | "RERUN_REFUSED"
  | "PHASE_BUSY";

/** A request that does not fit the state of its run. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
