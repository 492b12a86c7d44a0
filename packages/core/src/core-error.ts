/** Why a rule of the core refused its input. */
export type CoreErrorCode = "ILLEGAL_TRANSITION" | "UNKNOWN_PHASE" | "IMPOSSIBLE";

/** A broken rule: a caller's mistake, never a user's. */
export class CoreError extends Error {
  override readonly name = "CoreError";
  readonly code: CoreErrorCode;

  constructor(code: CoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Makes the compiler prove that every case of a union is handled. */
export function assertNever(value: never, what: string): never {
  throw new CoreError("IMPOSSIBLE", `unexpected ${what}: ${JSON.stringify(value)}`);
}
