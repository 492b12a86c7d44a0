import type { MergeReport } from "./merge-report.ts";

/** Outputs folded into one. */
export interface FoldResult {
  report: MergeReport;
  /** Bytes of the result. Can be read once. */
  chunks: AsyncIterable<Uint8Array>;
}
