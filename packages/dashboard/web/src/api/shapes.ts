import type { RunDocument } from "@fanfold/core";
import type { RunDetail as RunDetailDocument } from "@fanfold/schemas";

/** A run as its page shows it: the whole document, of which the API's schema promises a part. */
export type RunDetail = RunDocument & Pick<RunDetailDocument, "edges" | "spawned" | "approvals" | "last_seq">;

/** One phase of a {@link RunDetail}. */
export type PhaseDetail = RunDetail["phases"][number];
