import { findRepeatFault } from "../policy/repeat-condition.ts";
import type { DeclaredPhase } from "./declared-phase.ts";

/** Something wrong with the repetition of a phase, and the field it is in. */
export interface RepeatFault {
  readonly code: "MISSING_KEY" | "MISPLACED_FIELD" | "BAD_CONDITION";
  readonly field: "repeat_until" | "max_iterations";
  readonly message: string;
}

/** What is wrong with `repeat_until` and `max_iterations`. */
export function* findRepeatFaults({ keys: { written, meant }, repeatUntil }: DeclaredPhase): Generator<RepeatFault> {
  if (written.has("max_iterations") && !meant.has("repeat_until")) {
    const message = "max_iterations needs repeat_until, which says when it is done";
    yield { code: "MISSING_KEY", field: "max_iterations", message };
  }
  if (!written.has("repeat_until")) return;
  const cut = ["shard", "for_each"].find((key) => written.has(key));
  if (cut !== undefined) {
    const message = `repeat_until repeats a phase as a whole; it does not go with ${cut}`;
    yield { code: "MISPLACED_FIELD", field: "repeat_until", message };
  }
  const fault = repeatUntil === undefined ? undefined : findRepeatFault(repeatUntil);
  if (fault !== undefined) {
    yield { code: "BAD_CONDITION", field: "repeat_until", message: `repeat_until is wrong: ${fault}` };
  }
}
