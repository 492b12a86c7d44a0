import type { EventName, JournalLine } from "@fanfold/schemas";
import { describeEvent, type EventFacts } from "../../src/view/describe-event.ts";
import { eventLevel } from "../../src/view/event-level.ts";
import { reduceRun } from "../../src/view/reduce-run.ts";
import { emptyRunView, type RunView } from "../../src/view/run-view.ts";

/** Time of the journals in these tests; the line with `seq` n comes n-1 seconds later unless it says when. */
export const START_MS = Date.parse("2026-03-01T12:00:00.000Z");

/** An event of a test journal, with its time in ms after {@link START_MS} where it matters. */
export interface TestEvent extends EventFacts {
  readonly atMs?: number;
  readonly data?: JournalLine["data"];
}

/** Journal lines of these events, numbered from 1. */
export function journalOf(events: readonly TestEvent[]): JournalLine[] {
  return events.map((facts, index) => ({
    seq: index + 1,
    timestamp: new Date(START_MS + (facts.atMs ?? index * 1_000)).toISOString(),
    level: eventLevel(facts.event),
    event: facts.event,
    run_id: "run_1",
    phase: facts.phase ?? null,
    shard: facts.shard ?? null,
    attempt: facts.attempt ?? null,
    message: describeEvent(facts),
    data: facts.data ?? {},
  }));
}

/** View after these lines. */
export function reduceAll(lines: readonly JournalLine[], view: RunView = emptyRunView("run_1")): RunView {
  let next = view;
  for (const line of lines) next = reduceRun(next, line);
  return next;
}

/** View after these events. */
export function viewOf(...events: TestEvent[]): RunView {
  return reduceAll(journalOf(events));
}

/** Event of shard 0 of phase `p`, or of the shard and attempt given. */
export function shardEvent(event: EventName, shard = 0, attempt = 1, data: JournalLine["data"] = {}): TestEvent {
  return { event, phase: "p", shard, attempt, data };
}
