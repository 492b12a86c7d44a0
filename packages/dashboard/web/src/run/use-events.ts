import type { EventPage, JournalLine } from "@fanfold/schemas";
import { useEffect, useState } from "react";
import { apiPath, getJson } from "../api/client.ts";
import { useRunScope } from "./run-context.tsx";

const PAGE_SIZE = 2_000;
const AGAIN_MS = 1_000;
const RETRY_MS = 3_000;

/** Which lines are read. */
export interface EventScope {
  readonly phase: string | null;
  readonly shard: number | null;
}

/**
 * The journal's lines of a scope, from the first on, and what comes while the page is open.
 *
 * @param onLines called with each piece, in order; each line once
 */
export function useEventReader({ phase, shard }: EventScope, onLines: (lines: readonly JournalLine[]) => void): void {
  const { run, feed } = useRunScope();
  const { run_id: runId } = run;
  useEffect(() => {
    let after = 0;
    let isStopped = false;
    let isReading = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const readSoon = (ms: number): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void readAll();
      }, ms);
    };
    const readAll = async (): Promise<void> => {
      if (isReading || isStopped) return;
      isReading = true;
      try {
        after = await readPages(() => isStopped, { runId, phase, shard, after }, onLines);
      } catch {
        readSoon(RETRY_MS);
      }
      isReading = false;
    };
    void readAll();
    const stop = feed((lines) => {
      const isOurs = phase === null || lines.some((line) => line.phase === phase);
      if (isOurs) readSoon(AGAIN_MS);
    });
    return () => {
      isStopped = true;
      clearTimeout(timer);
      stop();
    };
  }, [runId, phase, shard, feed, onLines]);
}

interface Reading extends EventScope {
  readonly runId: string;
  readonly after: number;
}

/** Reads pages up to the journal's end, and gives the number of the last line that was looked at. */
async function readPages(
  isStopped: () => boolean,
  { runId, phase, shard, after }: Reading,
  onLines: (lines: readonly JournalLine[]) => void,
): Promise<number> {
  let last = after;
  for (;;) {
    const path = apiPath(["runs", runId, "events"], { after: last, limit: PAGE_SIZE, phase, shard });
    const page = await getJson<EventPage>(path);
    if (isStopped()) return last;
    if (page.events.length > 0) onLines(page.events);
    const seen = page.events.at(-1)?.seq;
    if (seen === undefined || page.events.length < PAGE_SIZE) return Math.max(last, seen ?? 0);
    last = seen;
  }
}

/** The lines themselves. */
export function useEvents(scope: EventScope): readonly JournalLine[] {
  const [lines, setLines] = useState<readonly JournalLine[]>([]);
  const [append] = useState(() => (more: readonly JournalLine[]) => setLines((before) => joinLines(before, more)));
  useEventReader(scope, append);
  return lines;
}

/** Lines put together; those that are there already are left out. */
function joinLines(before: readonly JournalLine[], more: readonly JournalLine[]): readonly JournalLine[] {
  const last = before.at(-1)?.seq ?? 0;
  const isRestart = (more[0]?.seq ?? 0) <= (before[0]?.seq ?? 0);
  return isRestart ? more : [...before, ...more.filter(({ seq }) => seq > last)];
}
