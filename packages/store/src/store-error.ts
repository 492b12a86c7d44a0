/** Why the store could not do what it was asked. */
export type StoreErrorCode =
  | "RUN_NOT_FOUND"
  | "RUN_REMOVING"
  | "PLAN_ALTERED"
  | "ARTIFACT_NOT_FOUND"
  | "ARTIFACT_CORRUPT"
  | "ARTIFACTS_REFUSED"
  | "ARTIFACTS_UNREACHABLE"
  | "REDIS_UNREACHABLE"
  | "REDIS_REFUSED"
  | "REDIS_TOO_OLD"
  | "REDIS_UNSUITABLE"
  | "JOB_REFUSED"
  | "WEAK_SIGNING_KEY"
  | "SCRIPT_FAILED";

/** A failure of Redis or the artifact store, or a thing that is not in them. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
