import type { Work } from "@fanfold/schemas";
import type { AttemptLog } from "./attempt-log.ts";
import type { AttemptMasks } from "./attempt-masks.ts";
import type { AttemptReports } from "./attempt-reports.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import type { AttemptStop } from "./attempt-stop.ts";
import type { ScratchFiles } from "./scratch-files.ts";

/** An attempt under way: what both kinds of work share. */
export interface RunningAttempt {
  /** Tells it from every other attempt on this machine; letters, digits, dots, dashes and underscores. */
  readonly id: string;
  readonly spec: AttemptSpec;
  /** The work of `spec`, with its secrets. */
  readonly work: Work;
  /** `env` of the plan and the phase, with their secrets. */
  readonly env: Readonly<Record<string, string>>;
  /** Values by name of the secrets the plan names. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly masks: AttemptMasks;
  readonly files: ScratchFiles;
  readonly stop: AttemptStop;
  readonly log: AttemptLog;
  readonly reports: AttemptReports;
  /** Called right before the work begins. @throws {AttemptError} when it must not begin any more */
  begin(): void;
  /** Called when no process of the attempt is left, wherever it went. */
  clear(): void;
}
