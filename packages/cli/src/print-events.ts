import type { JournalLine } from "@fanfold/schemas";
import type { Session } from "./session.ts";
import { print, styleOf } from "./terminal.ts";
import { renderEvent } from "./view/event-text.ts";

/** Prints a run's journal; with `follow`, until the run is over or Ctrl-C. */
export async function printEvents(
  session: Session,
  runId: string,
  { json, follow }: { json: boolean; follow: boolean },
): Promise<void> {
  const style = styleOf(process.stdout);
  for await (const line of follow ? followToEnd(session, runId) : session.store.journal.readAll(runId)) {
    print(json ? JSON.stringify(line) : renderEvent(line, style));
  }
}

/** Lines of a run's journal as they come, until the run is over; Ctrl-C ends it too. */
export async function* followToEnd(session: Session, runId: string): AsyncGenerator<JournalLine> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once("SIGINT", stop);
  try {
    for await (const line of session.store.journal.follow(runId, 0, { signal: stopping.signal })) {
      yield line;
      if (/^run_(succeeded|failed|cancelled)$/.test(line.event) && (await session.store.journal.isLast(line))) return;
    }
  } finally {
    process.off("SIGINT", stop);
  }
}
