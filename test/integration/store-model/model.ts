import { DEFAULT_INFRA_LIMIT } from "@fanfold/core";
import type { ShardStatus, StartVerdict } from "@fanfold/schemas";
import { type Ending, type PlayedAttempt } from "./played-site.ts";
import { KEY, PHASES, phaseOf, RETRIES, RUN_CAP, SHARD_IDS } from "./plan.ts";
import type { RunSnapshot, Snapshot } from "./snapshot.ts";

/** Life of a shard as the model sees it. `queued`: released, or waiting for a slot. */
export type ShardState = "idle" | "queued" | "backoff" | "running" | "succeeded" | "failed" | "cancelled";

/** A shard, and the job it would have on a queue. */
export interface ShardModel {
  readonly id: string;
  state: ShardState;
  tries: number;
  losses: number;
  /** All attempts there were; the last one is the current one. */
  attempts: PlayedAttempt[];
  /** Starts of its job that no stall caused. */
  starts: number;
  /** The worker of its job died: it comes again, and that counts as no start. */
  isStalled: boolean;
  /** The shard ended while its job was on a queue: its next start is no retry. */
  isOwed: boolean;
  /** Shard whose job carries this one: it has none of its own. */
  carrier: string | undefined;
}

/** A run as the model sees it: what was asked for, and what must have come of its shards. */
export interface RunModel {
  readonly id: string;
  isPaused: boolean;
  isCancelled: boolean;
  readonly shards: readonly ShardModel[];
}

/** The model beside the store. `last` is the real state after the last step, for what the model does not foretell. */
export interface Model {
  readonly runs: (RunModel | undefined)[];
  last: Snapshot;
}

/** A run in which nothing has happened. */
export function newRunModel(id: string): RunModel {
  const shards = SHARD_IDS.map((shard) => ({
    id: shard,
    state: "idle" as const,
    tries: 0,
    losses: 0,
    attempts: [],
    starts: 0,
    isStalled: false,
    isOwed: false,
    carrier: undefined,
  }));
  return { id, isPaused: false, isCancelled: false, shards };
}

/** State of the model for a real status. */
export function stateOf(status: ShardStatus | undefined): ShardState {
  if (status === undefined) return "idle";
  if (status === "spawned") throw new Error("nothing is spawned here");
  return status === "released" || status === "waiting" ? "queued" : status;
}

/** Whether nothing more of a shard may start. */
export function isHalted(run: RunSnapshot | undefined, id: string): boolean {
  const phase = phaseOf(id);
  return (
    (run?.record.stop ?? null) !== null || run?.counts.get(phase)?.recalled === 1 || run?.recalled.has(id) === true
  );
}

/** What must come of a start: the ledger's answer, and the shard's state right after. */
export interface Forecast {
  readonly verdict: StartVerdict;
  readonly state: ShardState;
}

/** What a start of the shard's job must bring, given what was real before it. */
export function forecastStart(model: Model, run: RunModel, shard: ShardModel): Forecast {
  const real = model.last.runs.get(run.id);
  const halted = isHalted(real, shard.id);
  if (shard.state === "succeeded") return { verdict: "done", state: "succeeded" };
  if ((shard.state === "failed" || shard.state === "cancelled") && (shard.isOwed || shard.isStalled)) {
    return { verdict: "ended", state: shard.state };
  }
  if (shard.state === "running") {
    if (halted) return { verdict: "ended", state: "cancelled" };
    if (shard.losses + 1 > DEFAULT_INFRA_LIMIT) return { verdict: "ended", state: "failed" };
    return run.isPaused ? { verdict: "no_slot", state: "queued" } : { verdict: "run", state: "running" };
  }
  const isRetry = shard.state === "failed" || shard.state === "cancelled";
  if (halted && !isRetry) return { verdict: "ended", state: "cancelled" };
  if (run.isPaused) return { verdict: "no_slot", state: "queued" };
  const hasSlot = real?.shards.get(shard.id)?.status === "released" || hasRoom(model.last, run.id, phaseOf(shard.id));
  return hasSlot ? { verdict: "run", state: "running" } : { verdict: "no_slot", state: "queued" };
}

/** Whether one more shard of a phase may be in flight. */
function hasRoom({ runs, semaphores }: Snapshot, runId: string, phase: string): boolean {
  const run = runs.get(runId);
  const { cap = 0, hasKey = false } = PHASES[phase] ?? {};
  if (run === undefined || run.inFlight >= RUN_CAP) return false;
  if ((run.counts.get(phase)?.in_flight ?? 0) >= cap) return false;
  if (!hasKey) return true;
  const key = semaphores.find(({ name }) => name === KEY.name);
  const waiters = key?.waiters ?? [];
  const ahead = waiters.includes(runId) ? waiters.indexOf(runId) : waiters.length;
  return KEY.limit - (key?.inUse ?? 0) - ahead > 0;
}

/** State of a shard after the end of its current attempt. */
export function forecastFinish(shard: ShardModel, ending: Ending, halted: boolean): ShardState {
  switch (ending) {
    case "succeeded":
      return "succeeded";
    case "killed":
      return "cancelled";
    case "given_back":
      return halted ? "cancelled" : "queued";
    case "failed":
      if (shard.tries + 1 > RETRIES) return "failed";
      return halted ? "cancelled" : "backoff";
  }
}

/** Whether a step may have moved a shard it was not about. */
export function isSideEffect(from: ShardState, to: ShardState, after: RunSnapshot, id: string): boolean {
  if (from === to) return true;
  const halted = isHalted(after, id);
  if (to === "cancelled") return halted && (from === "idle" || from === "queued" || from === "backoff");
  if (to !== "queued") return false;
  // a shard cancelled by hand before it is handed out is cancelled when it starts
  if (from === "idle") return after.record.stop === null && after.counts.get(phaseOf(id))?.recalled !== 1;
  return !halted && (from === "failed" || from === "cancelled");
}
