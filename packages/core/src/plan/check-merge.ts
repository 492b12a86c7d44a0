import type { Merge } from "@fanfold/schemas";
import type { DeclaredMerge, DeclaredPhase } from "./declared-phase.ts";

type Strategy = Merge["strategy"];

/** Fields of a merge that only some strategies take. */
const TAKEN_BY: Readonly<Record<string, readonly Strategy[]>> = {
  key: ["records"],
  on_duplicate: ["records", "object"],
  complete: ["records"],
  command: ["command"],
  args: ["command"],
  handler: ["handler"],
};

/** Something wrong with one field of a merge. */
export interface MergeFault {
  readonly code: "MISPLACED_FIELD" | "MISSING_KEY" | "INVALID_VALUE";
  /** Undefined: the merge as a whole. */
  readonly field: string | undefined;
  readonly message: string;
}

/** What is wrong with a merge whose strategy is known: fields of other strategies, and fields that are missing. */
export function* findMergeFaults(merge: DeclaredMerge, phase: DeclaredPhase): Generator<MergeFault> {
  const { strategy, keys } = merge;
  if (strategy === undefined) return;
  for (const [field, takers] of Object.entries(TAKEN_BY)) {
    if (!keys.written.has(field) || takers.includes(strategy)) continue;
    const message = `${field} belongs to merge strategy ${takers.join(" or ")}, not to ${strategy}`;
    yield { code: "MISPLACED_FIELD", field, message };
  }
  if (strategy === "records") yield* findRecordsFaults(merge, phase);
  else if ((strategy === "command" || strategy === "handler") && !keys.meant.has(strategy)) {
    yield { code: "MISSING_KEY", field: undefined, message: `merge strategy ${strategy} needs ${strategy}` };
  }
}

function* findRecordsFaults({ keys, isComplete, key }: DeclaredMerge, phase: DeclaredPhase): Generator<MergeFault> {
  const { written, meant } = keys;
  if (!meant.has("key")) {
    if (written.has("on_duplicate")) {
      yield { code: "MISSING_KEY", field: "on_duplicate", message: "on_duplicate needs key" };
    }
    if (isComplete) yield { code: "MISSING_KEY", field: "complete", message: "complete needs key" };
  }
  const repeated = key.find((field, at) => key.indexOf(field) !== at);
  if (repeated !== undefined) {
    yield { code: "INVALID_VALUE", field: "key", message: `key has the field ${JSON.stringify(repeated)} twice` };
  }
  if (isComplete && !hasSource(phase)) {
    const message = "complete needs shard.over, which says what complete is";
    yield { code: "MISSING_KEY", field: "complete", message };
  }
}

function hasSource({ shard, keys }: DeclaredPhase): boolean {
  return shard === undefined ? keys.meant.has("shard") : shard.keys.meant.has("over");
}
