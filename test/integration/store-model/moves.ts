import { listUnqueued } from "./invariants.ts";
import type { Model, RunModel, ShardModel } from "./model.ts";
import type { Ending } from "./played-site.ts";

/** What somebody, or a scheduler, does with a run as a whole or a phase of it. */
export interface RunMove {
  readonly kind:
    | "submit"
    | "tend"
    | "sweep"
    | "pause"
    | "resume"
    | "cancel"
    | "cancel_phase"
    | "retry_all"
    | "retry_phase";
}

/**
 * What happens to a shard. `start`: a worker gets its job; `lose`: another worker gets the job of a running one;
 * `retry_job`: somebody retries its job in the queue; `late_finish`: the end of an attempt that was replaced;
 * `repeat_finish`: the end of an attempt once more.
 */
export type ShardMove =
  | { readonly kind: "start" | "lose" | "retry_job" | "late_finish" | "repeat_finish" | "cancel_shard" }
  | { readonly kind: "finish"; readonly ending: Ending; readonly dies: boolean; readonly goesOn: boolean };

/** What can happen. */
export type Move = RunMove | ShardMove;

const RUN_KINDS: ReadonlySet<string> = new Set<RunMove["kind"]>([
  "submit",
  "tend",
  "sweep",
  "pause",
  "resume",
  "cancel",
  "cancel_phase",
  "retry_all",
  "retry_phase",
]);

/** Whether a move is about a shard. */
export function isShardMove(move: Move): move is ShardMove {
  return !RUN_KINDS.has(move.kind);
}

/** Shards a move may be about. */
export function shardsFor(kind: ShardMove["kind"], model: Readonly<Model>, run: RunModel): readonly ShardModel[] {
  const real = model.last.runs.get(run.id);
  const unqueued = real === undefined ? new Set<string>() : listUnqueued(real);
  return run.shards.filter((shard) => {
    const { state } = shard;
    const hasEnded = state === "failed" || state === "cancelled";
    switch (kind) {
      case "start": {
        const isDue = state === "queued" || state === "backoff" || (hasEnded && shard.isOwed);
        return !unqueued.has(shard.id) && (isDue || (shard.isStalled && state !== "running"));
      }
      case "lose":
      case "finish":
        return state === "running";
      case "retry_job":
        return hasEnded && !shard.isOwed && !shard.isStalled && shard.starts > 0 && real?.record.stop !== "cancel";
      case "late_finish":
        return shard.attempts.length > 1;
      case "repeat_finish":
        return shard.attempts.length > 0 && state !== "running";
      case "cancel_shard":
        return true;
    }
  });
}
