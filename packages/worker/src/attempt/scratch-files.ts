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
  /** FANFOLD_PROMPT and FANFOLD_ORIGINAL_PROMPT: only where the phase has a prompt. */
  readonly prompt: string;
  readonly originalPrompt: string;
  /** Directory of artifacts a handler gave as bytes. */
  readonly artifactsDir: string;
  /** Directory of what `collect` found. */
  readonly collectedDir: string;
}

/** Where the files of an attempt are; makes none of them. */
export function scratchFiles(scratchDir: string): ScratchFiles {
  const at = (name: string): string => resolve(scratchDir, name);
  // many attempts use none of them
  return {
    get output() {
      return at("output");
    },
    get stdout() {
      return at("stdout");
    },
    get events() {
      return at("events.jsonl");
    },
    get log() {
      return at("log");
    },
    get prompt() {
      return at("prompt");
    },
    get originalPrompt() {
      return at("original-prompt");
    },
    get artifactsDir() {
      return at("artifacts");
    },
    get collectedDir() {
      return at("collected");
    },
  };
}
