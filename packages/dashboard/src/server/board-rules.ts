/** What may be done to a queue through Bull Board: one of its actions, and why it is refused, if it is. */
export interface BoardRule {
  readonly method: "post" | "put" | "patch";
  /** Path below the board, with parameters as Express spells them. */
  readonly path: string;
  /** Absent: allowed. */
  readonly refusal?: string;
}

const REMOVES_JOBS =
  "removing jobs would release the aggregate that waits for them, and it would go on with partial results; " +
  "to stop a run use: fanfold cancel RUN";
const FORGES_JOBS =
  "jobs belong to runs and only the scheduler adds or changes them, or the run's ledger would be wrong; " +
  "to start work use: fanfold submit PLAN";
const REPEATS_RESULT =
  "only failed jobs can be retried in bulk: what has completed is already folded into its phase; " +
  "to try what failed use: fanfold retry RUN";
const STARTS_EARLY =
  "a delayed job waits for its retry delay or for a free slot of its run, and starts by itself when it may";
const STOPS_REPAIR =
  "the repeated sweep is what repairs runs after crashes, so its schedule is not for changing; " +
  "to stop a run use: fanfold cancel RUN";

/** Why an action that no rule names is refused. */
export const UNKNOWN_ACTION =
  "this dashboard allows only what is known to keep runs whole; use the fanfold command for anything else";

const QUEUE = "/api/queues/:queue";
const JOB = `${QUEUE}/:job`;

/**
 * Every action of Bull Board that changes something. As in Bull Board itself the first path that fits counts, so
 * the order matters: `…/clean/retry` is a clean, not the retry of a job named "clean".
 */
export const BOARD_RULES: readonly BoardRule[] = [
  { method: "put", path: "/api/queues/pause" },
  { method: "put", path: "/api/queues/resume" },
  { method: "post", path: `${QUEUE}/add`, refusal: FORGES_JOBS },
  { method: "put", path: `${QUEUE}/retry/failed` },
  { method: "put", path: `${QUEUE}/retry/:status`, refusal: REPEATS_RESULT },
  { method: "put", path: `${QUEUE}/promote`, refusal: STARTS_EARLY },
  { method: "put", path: `${QUEUE}/clean/:status`, refusal: REMOVES_JOBS },
  { method: "put", path: `${QUEUE}/pause` },
  { method: "put", path: `${QUEUE}/resume` },
  { method: "put", path: `${QUEUE}/concurrency` },
  { method: "put", path: `${QUEUE}/rate-limit` },
  { method: "put", path: `${QUEUE}/rate-limit/release` },
  { method: "put", path: `${QUEUE}/empty`, refusal: REMOVES_JOBS },
  { method: "put", path: `${QUEUE}/obliterate`, refusal: REMOVES_JOBS },
  { method: "put", path: `${QUEUE}/job-schedulers/:scheduler/remove`, refusal: STOPS_REPAIR },
  { method: "patch", path: `${QUEUE}/job-schedulers/:scheduler`, refusal: STOPS_REPAIR },
  { method: "put", path: `${QUEUE}/job-schedulers/:scheduler/run`, refusal: STOPS_REPAIR },
  { method: "put", path: `${JOB}/retry` },
  { method: "put", path: `${JOB}/clean`, refusal: REMOVES_JOBS },
  { method: "put", path: `${JOB}/promote`, refusal: STARTS_EARLY },
  { method: "patch", path: `${JOB}/update-data`, refusal: FORGES_JOBS },
  { method: "patch", path: `${JOB}/delay`, refusal: FORGES_JOBS },
  { method: "patch", path: `${JOB}/priority`, refusal: FORGES_JOBS },
  { method: "put", path: `${JOB}/remove-unprocessed-children`, refusal: REMOVES_JOBS },
];
