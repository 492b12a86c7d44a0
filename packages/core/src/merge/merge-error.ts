import type { MergeReport } from "./merge-report.ts";

/** Why shard outputs cannot be folded. */
export type MergeErrorCode =
  | "INVALID_RECORD"
  | "INVALID_VALUE"
  | "MISSING_KEY"
  | "INEXACT_KEY"
  | "WRONG_DIMENSION"
  | "TOO_MANY_KEYS"
  | "DUPLICATE_KEY"
  | "INCOMPLETE"
  | "NO_SOURCE"
  | "OUTPUT_CHANGED";

/** A merge that is rejected: nothing of it may be kept. */
export class MergeError extends Error {
  override readonly name = "MergeError";
  readonly code: MergeErrorCode;
  /** What was found, where the records could all be read (`DUPLICATE_KEY`, `INCOMPLETE`). */
  readonly report: MergeReport | undefined;

  constructor(code: MergeErrorCode, message: string, options?: ErrorOptions & { report?: MergeReport }) {
    super(message, options);
    this.code = code;
    this.report = options?.report;
  }
}
