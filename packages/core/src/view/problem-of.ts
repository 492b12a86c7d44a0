import type { JournalLine } from "@fanfold/schemas";
import { readNumber, readText } from "./event-data.ts";
import type { PhaseView, Problem } from "./run-view.ts";

/** The problem a journal line tells of. */
export function problemOf(line: JournalLine, isFinal: boolean): Problem {
  const { data } = line;
  return {
    phase: line.phase,
    shard: line.shard,
    attempt: line.attempt ?? readNumber(data, "attempts") ?? null,
    error_code: readText(data, "error_code") ?? null,
    why: readText(data, "why") ?? line.message,
    next_action: readText(data, "next_action") ?? null,
    exit_code: readNumber(data, "exit_code") ?? null,
    signal: readText(data, "signal") ?? null,
    at_ms: Date.parse(line.timestamp),
    is_final: isFinal,
  };
}

/** Problem a phase shows once this one has come: a problem that is being retried never hides a final one. */
export function worseProblem(phase: PhaseView, next: Problem): Problem {
  return phase.problem?.is_final === true && !next.is_final ? phase.problem : next;
}
