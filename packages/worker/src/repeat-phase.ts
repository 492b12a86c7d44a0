import { evaluateRepeat } from "@fanfold/core";
import type { CompiledPhase, Content, Failure } from "@fanfold/schemas";
import { readContent, type Store } from "@fanfold/store";
import type { HandedOver, IteratedAttempt } from "./execute-attempt.ts";

/** Largest output that a condition is asked about, in bytes: the worker can do nothing else while it looks at it. */
const MAX_JUDGED_BYTES = 256 * 1024;

type Succeeded = Extract<HandedOver, { status: "succeeded" }>;

/**
 * Asks the condition of `repeat_until` about the output of an attempt that succeeded: then it is done, or one iteration of
 * several, or has failed for want of further ones.
 *
 * @param iteration the one that has ended, counted from 1
 */
export async function judgeIteration(
  store: Store,
  { repeat }: CompiledPhase,
  iteration: number,
  ended: Succeeded,
): Promise<HandedOver> {
  if (repeat === undefined) return ended;
  const { result, ...told } = ended;
  const { output } = result;
  const failed = (failure: Failure): HandedOver => ({ ...told, status: "failed", failure });
  const text = await findText(store, output);
  if (text === undefined) {
    const why = `repeat_until cannot look at an output of more than ${MAX_JUDGED_BYTES} bytes`;
    return failed({ error_code: "REPEAT_FAILED", why });
  }
  const verdict = evaluateRepeat(repeat.until, text, iteration);
  if (verdict.kind === "failed") return failed({ error_code: "REPEAT_FAILED", why: verdict.why });
  if (verdict.kind === "done") return ended;
  if (iteration >= repeat.max_iterations) {
    const why = `${repeat.until} was not true after ${iteration} ${iteration === 1 ? "iteration" : "iterations"}`;
    const next_action = "raise max_iterations, or look at the last outputs: fanfold logs";
    return failed({ error_code: "MAX_ITERATIONS", why, next_action });
  }
  return { ...told, status: "iterated", iteration, output } satisfies IteratedAttempt;
}

async function findText(store: Store, output: Content): Promise<string | undefined> {
  if ("inline" in output) return output.inline;
  if (output.size_bytes > MAX_JUDGED_BYTES) return undefined;
  return Buffer.from(await readContent(store.artifacts, output)).toString("utf8");
}
