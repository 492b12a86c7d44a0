import { resolve } from "node:path";

/** Files of an attempt in its scratch directory, as absolute paths. */
export interface ScratchFiles {
  /** FANFOLD_OUTPUT: exists only if user code made it. */
  readonly output: string;
  readonly stdout: string;
  /** FANFOLD_EVENTS. */
  readonly events: string;
  /** Stdout and stderr as they came; exists if there was any. */
  readonly log: string;
  /** Directory of artifacts a handler gave as bytes. */
  readonly artifactsDir: string;
  /** Directory of what `collect` found. */
  readonly collectedDir: string;
}

/** Where the files of an attempt are; makes none of them. */
export function scratchFiles(scratchDir: string): ScratchFiles {
  const at = (name: string): string => resolve(scratchDir, name);
  return {
    output: at("output"),
    stdout: at("stdout"),
    events: at("events.jsonl"),
    log: at("log"),
    artifactsDir: at("artifacts"),
    collectedDir: at("collected"),
  };
}
