/** Why the dashboard did not start. */
export type DashboardErrorCode = "UNSAFE_HOST" | "ADDRESS_UNUSABLE" | "BAD_USERS" | "BAD_BASE_PATH";

/** A dashboard that cannot be set up as it was asked to. */
export class DashboardError extends Error {
  override readonly name = "DashboardError";
  readonly code: DashboardErrorCode;

  constructor(code: DashboardErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
