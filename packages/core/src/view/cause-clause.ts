import type { Cause } from "@fanfold/schemas";

type Clause = (phase: string | null) => string;

const of = (phase: string | null): string => phase ?? "a dependency";

/** What kept a phase from its work, or ended it, as a clause; a new code does not compile without one. */
const CLAUSES: { readonly [Code in Cause["code"]]: Clause } = {
  dependency_failed: (phase) => `${of(phase)} failed`,
  unreachable: (phase) => `the outcome of ${of(phase)} leaves it no way to start`,
  plan_aborted: (phase) => `the failure of ${of(phase)} aborted the plan`,
  cancel_requested: (phase) => (phase === null ? "cancellation was requested" : `${phase} was cancelled by hand`),
  missing_dependency: (phase) => `${of(phase)} has no accepted output`,
  not_selected: (phase) => `${phase ?? "it"} does not take part in this run`,
  condition_false: (phase) => `${phase === null ? "its condition" : `the condition of ${phase}`} does not hold`,
  condition_failed: (phase) =>
    `${phase === null ? "its condition" : `the condition of ${phase}`} could not be evaluated`,
  run_timeout: () => "the time limit of the run was reached",
  budget_spent: () => "the cost budget of the run is spent",
  lock_timeout: (phase) => `${phase === null ? "its lock" : `the lock of ${phase}`} was not free in time`,
  circuit_open: (phase) => `too many shards${phase === null ? "" : ` of ${phase}`} failed in a row`,
  shards_failed: (phase) => `shards${phase === null ? "" : ` of ${phase}`} failed`,
  merge_rejected: (phase) => `the merge${phase === null ? "" : ` of ${phase}`} was rejected`,
  approval_rejected: (phase) => `${phase ?? "it"} was rejected`,
  approval_timeout: (phase) => `the approval of ${phase ?? "it"} was not given in time`,
  expansion_failed: (phase) => `${phase ?? "it"} could not be cut into shards`,
};

const CLAUSE_OF_CODE: ReadonlyMap<string, Clause> = new Map(Object.entries(CLAUSES));

/** A cause as a clause: `compile failed`. A code unknown here stands for itself. */
export function causeClause(code: string, phase: string | null): string {
  return CLAUSE_OF_CODE.get(code)?.(phase) ?? code;
}

/** What a blocked phase lacks, as a clause; `undefined` when nothing is named. */
export function missingClause(phases: readonly string[]): string | undefined {
  return phases.length === 0 ? undefined : `no accepted output of ${phases.join(", ")}`;
}
