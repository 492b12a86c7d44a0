/** What the next attempt is told where the plan has no instruction of its own. */
const DEFAULT_INSTRUCTION =
  "The attempt before this one failed. What it said at its end follows; do not repeat its mistake.";

/** An attempt that the next one should learn from. */
export interface FailedTry {
  /** Counted from 1. */
  readonly attempt: number;
  /** Why it failed, in one sentence. */
  readonly why: string;
  /** The end of its output; empty when there was none. */
  readonly tail: string;
}

/**
 * Prompt of an attempt after a failure: always the original one, then the instruction, then the last failure. Nothing of
 * an earlier prompt is in it, so it does not grow from attempt to attempt.
 */
export function retryPrompt(original: string, instruction: string | null, { attempt, why, tail }: FailedTry): string {
  const output = tail === "" ? "It left no output." : `The end of its output:\n\n${tail.replace(/\n*$/, "")}`;
  const parts = [original.replace(/\n*$/, ""), instruction ?? DEFAULT_INSTRUCTION, `Attempt ${attempt} failed: ${why}`];
  return `${[...parts, output].join("\n\n")}\n`;
}
