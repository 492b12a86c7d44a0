import type { RunDocument } from "@fanfold/core";
import type { JournalLine, RunStatus, ShardStatus } from "@fanfold/schemas";

/** A run as the list of runs shows it. */
export interface RunListItem {
  readonly run_id: string;
  readonly plan_id: string;
  readonly plan_version: string;
  readonly status: RunStatus;
  readonly is_paused: boolean;
  readonly created_at_ms: number;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly tags: readonly string[];
  readonly shards: {
    readonly total: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly running: number;
    readonly waiting: number;
  } | null;
  readonly percent: number | null;
  readonly eta_sec: number | null;
  readonly problem: string | null;
}

/** A page of the list of runs. */
export interface RunPage {
  readonly runs: readonly RunListItem[];
  readonly next_cursor: string | null;
}

/** An edge of a run's graph. */
export interface RunEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: "hard" | "soft";
  readonly when: "success" | "failure" | "always";
}

/** A run as its page shows it. */
export type RunDetail = RunDocument & { readonly edges: readonly RunEdge[]; readonly last_seq: number };

/** One phase of a {@link RunDetail}. */
export type PhaseDetail = RunDetail["phases"][number];

/** What made an attempt fail. */
export interface FailureDetail {
  readonly error_code: string;
  readonly why: string;
  readonly next_action?: string | undefined;
  readonly exit_code?: number | undefined;
  readonly signal?: string | undefined;
}

/** A shard as a row. */
export interface ShardRow {
  readonly shard: number;
  readonly status: ShardStatus;
  readonly attempt: number | null;
  readonly worker: string | null;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly duration_ms: number | null;
  readonly attempts: number;
  readonly failure: FailureDetail | null;
  readonly job_url: string | null;
}

/** A page of a phase's shards. */
export interface ShardPage {
  readonly shards: readonly ShardRow[];
  readonly next_cursor: string | null;
  readonly total: number;
}

/** An earlier attempt of a shard. */
export interface AttemptDetail {
  readonly attempt: number;
  readonly status: string;
  readonly worker: string | null;
  readonly started_at_ms: number | null;
  readonly finished_at_ms?: number | null | undefined;
  readonly failure?: FailureDetail | null | undefined;
}

/** A shard with its attempts. */
export interface ShardDetail extends ShardRow {
  readonly history: readonly AttemptDetail[];
  readonly output: { readonly size_bytes: number; readonly sha256: string } | null;
}

/** A piece of an attempt's log; offsets count bytes. */
export interface LogChunk {
  readonly text: string;
  readonly offset: number;
  readonly next_offset: number;
  readonly size_bytes: number;
  readonly is_complete: boolean;
}

/** A piece of a run's journal. */
export interface EventPage {
  readonly events: readonly JournalLine[];
  readonly last_seq: number;
}

/** An artifact of a run. */
export interface ArtifactRow {
  readonly phase: string;
  readonly revision: number;
  readonly name: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly media_type: string;
}

/** Why something of a run does not run. */
export interface WhyRow {
  readonly phase?: string | null | undefined;
  readonly shard?: number | null | undefined;
  readonly code: string;
  readonly why: string;
}

/** A pool and what its queue holds. */
export interface PoolRow {
  readonly pool: string;
  readonly workers: number | null;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/** A worker process. */
export interface WorkerRow {
  readonly name: string;
  readonly pools: readonly string[];
  readonly concurrency?: number | null | undefined;
  readonly running?: number | null | undefined;
  readonly started_at_ms?: number | null | undefined;
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

/** One thing that is wrong, or doubtful, in a plan. */
export interface PlanProblem {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly hint?: string | undefined;
}

/** A variable that a plan asks for. */
export interface PlanVariable {
  readonly name: string;
  readonly default?: unknown;
  readonly description?: string | null | undefined;
  readonly type?: string | null | undefined;
  readonly options?: readonly unknown[] | null | undefined;
  readonly pattern?: string | null | undefined;
}

/** What came of checking a plan. */
export interface PlanCheck {
  readonly ok: boolean;
  readonly problems: readonly PlanProblem[];
  readonly warnings: readonly PlanProblem[];
  readonly variables: readonly PlanVariable[];
  readonly phases: readonly unknown[];
}

/** Who looks at the page, and what they may do. */
export interface Me {
  readonly user: string | null;
  readonly role: "operator" | "viewer" | null;
  readonly is_login_needed: boolean;
}
