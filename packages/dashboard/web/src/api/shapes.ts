import type { RunDocument } from "@fanfold/core";
import type { RunDetail as RunDetailDocument } from "@fanfold/schemas";

/** A run as its page shows it: the whole document, of which the API's schema promises a part. */
export type RunDetail = RunDocument & Pick<RunDetailDocument, "edges" | "last_seq">;

/** One phase of a {@link RunDetail}. */
export type PhaseDetail = RunDetail["phases"][number];

/** Why something of a run does not run. */
export interface WhyRow {
  readonly phase?: string | null | undefined;
  readonly shard?: number | null | undefined;
  readonly code: string;
  readonly why: string;
}

/** A cap, and who fills it. */
export interface CapRow {
  readonly kind: string;
  readonly name: string;
  readonly limit: number | null;
  readonly rate: { readonly max: number; readonly duration_ms: number } | null;
  readonly in_use: number;
  readonly waiting: number;
  readonly holders: readonly CapHolder[];
}

/** A shard that fills a cap. */
export interface CapHolder {
  readonly run_id: string;
  readonly phase: string;
  readonly shard: number;
  readonly attempt: number | null;
  readonly worker: string | null;
  readonly since_ms: number | null;
}
