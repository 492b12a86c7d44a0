import { AttemptError } from "./attempt-error.ts";
import type { AttemptLog } from "./attempt-log.ts";
import type { AttemptReports } from "./attempt-reports.ts";
import { MAX_EVENT_LINE_BYTES } from "./event-file.ts";
import { parseReportedEvent } from "./reported-event.ts";

const MAX_WARNINGS = 20;

/**
 * Reads what a command appends to FANFOLD_EVENTS. A line about an artifact, or a phase to spawn, that cannot be taken
 * fails the attempt, because something would get lost, and so does one that would change a prompt; any other bad line
 * is skipped with a warning in the log.
 */
export class CommandReports {
  readonly #reports: AttemptReports;
  readonly #log: AttemptLog;
  #firstError: AttemptError | undefined;
  #warnings = 0;

  constructor(reports: AttemptReports, log: AttemptLog) {
    this.#reports = reports;
    this.#log = log;
  }

  /** Takes one line; `undefined` is a line that was too long to read. */
  readonly take = (line: string | undefined, lineNumber: number): void => {
    if (line === undefined) {
      this.#warn(lineNumber, `longer than ${MAX_EVENT_LINE_BYTES} bytes`);
      return;
    }
    const parsed = parseReportedEvent(line);
    if ("event" in parsed) {
      this.#catching(lineNumber, () => this.#reports.report(parsed.event));
    } else if (parsed.isVital) {
      this.#catching(lineNumber, () => {
        throw invalidLine(line, parsed.problem);
      });
    } else {
      this.#warn(lineNumber, parsed.problem);
    }
  };

  /** @throws {AttemptError} the first thing that was wrong with an artifact, a phase to spawn or a prompt */
  throwFirstError(): void {
    if (this.#firstError !== undefined) throw this.#firstError;
  }

  #catching(lineNumber: number, take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      const located = error.at(`line ${lineNumber} of FANFOLD_EVENTS`);
      this.#log.note(located.message);
      this.#firstError ??= located;
    }
  }

  #warn(lineNumber: number, problem: string): void {
    this.#warnings += 1;
    if (this.#warnings <= MAX_WARNINGS) this.#log.note(`line ${lineNumber} of FANFOLD_EVENTS is skipped: ${problem}`);
    if (this.#warnings === MAX_WARNINGS) this.#log.note("further lines are skipped without a remark");
  }
}

function invalidLine(line: string, problem: string): AttemptError {
  if (/"type"\s*:\s*"(?:original_)?prompt"/.test(line)) {
    return new AttemptError("PROMPT_IMMUTABLE", problem, { next_action: "submit the plan with another prompt" });
  }
  if (/"type"\s*:\s*"spawn"/.test(line)) {
    return new AttemptError("SPAWN_INVALID", problem, {
      next_action: 'append one line like {"type":"spawn","phase":"…","key":"…"} for each phase to spawn',
    });
  }
  return new AttemptError("ARTIFACT_INVALID", problem, {
    next_action: 'append one line like {"type":"artifact","name":"…","path":"…"} for each artifact',
  });
}
