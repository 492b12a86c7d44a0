/** What went wrong with the embedded Redis; callers branch on this, never on the message. */
export type EmbeddedRedisErrorCode =
  | "BINARY_MISSING"
  | "BINARY_UNUSABLE"
  | "BINARY_TOO_OLD"
  | "INSTALL_REFUSED"
  | "INSTALL_FAILED"
  | "DIRECTORY_UNUSABLE"
  | "SOCKET_PATH_UNUSABLE"
  | "LOCKED"
  | "START_FAILED"
  | "DATA_DAMAGED"
  | "STOP_FAILED";

/** Failure to find, install, start, share or stop the embedded Redis. The message says what to do next. */
export class EmbeddedRedisError extends Error {
  override readonly name = "EmbeddedRedisError";
  readonly code: EmbeddedRedisErrorCode;

  constructor(code: EmbeddedRedisErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
