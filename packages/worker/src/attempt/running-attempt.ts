import type { AttemptLog } from "./attempt-log.ts";
import type { AttemptReports } from "./attempt-reports.ts";
import type { AttemptSpec } from "./attempt-spec.ts";
import type { AttemptStop } from "./attempt-stop.ts";
import type { ScratchFiles } from "./scratch-files.ts";

/** An attempt under way: what both kinds of work share. */
export interface RunningAttempt {
  readonly spec: AttemptSpec;
  readonly files: ScratchFiles;
  readonly stop: AttemptStop;
  readonly log: AttemptLog;
  readonly reports: AttemptReports;
}
