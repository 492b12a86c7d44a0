import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { emptyRunView, isRunOver, reduceRun, type RunView, withPhases } from "@fanfold/core";
import type { Session } from "./session.ts";
import { canRedraw, styleOf } from "./terminal.ts";
import { createRunReporter } from "./view/run-reporter.ts";

/** How often the live view's clocks go on, in ms. */
const TICK_MS = 250;

/** How a run is followed. */
export interface FollowOptions {
  /** Shows nothing while it runs. */
  readonly quiet?: boolean;
  /** File that gets the journal as JSON lines. */
  readonly journalFile?: string;
  readonly signal: AbortSignal;
}

/**
 * Follows a run's journal to its end, and shows it on standard error.
 *
 * @returns the run as last seen; not over when the signal aborted first
 */
export async function followRun(session: Session, runId: string, options: FollowOptions): Promise<RunView> {
  const { graph } = await session.engine.plan(runId);
  let view = withPhases(
    emptyRunView(runId),
    graph.ids.map((id) => graph.phase(id)),
  );
  const reporter = options.quiet === true ? undefined : openReporter();
  const ticking = setInterval(() => reporter?.tick(), TICK_MS);
  const journal = options.journalFile === undefined ? undefined : await openJournal(options.journalFile);
  try {
    for await (const line of session.store.journal.follow(runId, 0, options)) {
      view = reduceRun(view, line);
      journal?.write(`${JSON.stringify(line)}\n`);
      reporter?.onLine(line, view);
      if (isRunOver(view.status) && (await session.store.journal.isLast(line))) break;
    }
  } finally {
    clearInterval(ticking);
    reporter?.end(view);
    await journal?.close();
  }
  return view;
}

/** The run as its journal tells it now. @throws {StoreError} RUN_NOT_FOUND */
export async function loadRunView(session: Session, runId: string): Promise<RunView> {
  const { graph } = await session.engine.plan(runId);
  let view = withPhases(
    emptyRunView(runId),
    graph.ids.map((id) => graph.phase(id)),
  );
  for await (const line of session.store.journal.readAll(runId)) view = reduceRun(view, line);
  return view;
}

function openReporter() {
  const style = styleOf(process.stderr);
  return createRunReporter({
    stream: process.stderr,
    isTty: canRedraw(process.stderr),
    color: style.color ?? false,
    columns: style.columns,
    nowMs: () => Date.now(),
  });
}

async function openJournal(file: string): Promise<{ write(text: string): void; close(): Promise<void> }> {
  await mkdir(dirname(file), { recursive: true });
  const stream = createWriteStream(file);
  return {
    write: (text) => void stream.write(text),
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}
