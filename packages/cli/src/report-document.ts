import {
  type EndedAttemptView,
  emptyRunView,
  listFailures,
  listTolerated,
  type Problem,
  reduceRun,
  type RunDocument,
  runDocument,
  type RunView,
  SlowestAttempts,
  withPhases,
} from "@fanfold/core";
import type { JournalLine } from "@fanfold/schemas";
import type { Session } from "./session.ts";
import { nextCommands } from "./view/next-commands.ts";

/** Attempts a report names for taking long. */
const MAX_SLOWEST = 10;

/** All that a report tells of a run, as plain JSON. */
export type RunReport = RunDocument & {
  /** Time that what is not over is measured up to, Unix ms. */
  readonly as_of_ms: number;
  readonly slowest_attempts: readonly EndedAttemptView[];
  readonly failures: readonly Problem[];
  /** Failed shards that outputs go without. */
  readonly tolerated: readonly Problem[];
  /** What to type after a failure. */
  readonly next_commands: readonly string[];
};

/**
 * Reads a run's journal into a report. Memory does not grow with its length.
 *
 * @throws {StoreError} RUN_NOT_FOUND
 */
export async function loadReport(session: Session, runId: string, nowMs: number): Promise<RunReport> {
  const { graph } = await session.engine.plan(runId);
  const declared = graph.ids.map((id) => graph.phase(id));
  return buildReport(withPhases(emptyRunView(runId), declared), session.store.journal.readAll(runId), nowMs);
}

/** The report of a run whose journal follows upon this view. */
export async function buildReport(
  view: RunView,
  lines: AsyncIterable<JournalLine> | Iterable<JournalLine>,
  nowMs: number,
): Promise<RunReport> {
  const slowest = new SlowestAttempts(MAX_SLOWEST);
  let latest = view;
  for await (const line of lines) {
    latest = reduceRun(latest, line);
    slowest.take(line);
  }
  const failures = listFailures(latest);
  return {
    ...runDocument(latest, nowMs),
    as_of_ms: nowMs,
    slowest_attempts: slowest.attempts,
    failures,
    tolerated: listTolerated(latest),
    next_commands: nextCommands(latest, failures),
  };
}
