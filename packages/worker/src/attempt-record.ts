import { decideRetry, retrySeed, type UsageSum } from "@fanfold/core";
import type { AttemptRecord, Content, Failure, RetryRule, ShardRecord } from "@fanfold/schemas";
import { type ShardFinish, type ShardRef, shardId } from "@fanfold/store";
import type { HandedOver, IteratedAttempt, SpawningAttempt, UnsuccessfulAttempt } from "./execute-attempt.ts";

/** A started attempt: its record in the ledger, complete. */
export interface StartedAttempt {
  readonly runId: string;
  readonly ref: ShardRef;
  readonly record: ShardRecord;
  readonly attempt: number;
  readonly fence: number;
}

/** How an attempt's outcome is recorded, and what its job does next. */
export interface RecordedOutcome {
  readonly finish: ShardFinish;
  /** Wait before the next attempt, where there is one. */
  readonly retryAfterMs: number | undefined;
}

/** Turns the outcome of an attempt into what the ledger records. Pure. */
export function recordOutcome(
  started: StartedAttempt,
  ended: HandedOver,
  rule: RetryRule,
  nowMs: number,
): RecordedOutcome {
  if (ended.status === "succeeded") return { finish: success(started, ended, nowMs), retryAfterMs: undefined };
  if (ended.status === "spawned") return { finish: spawning(started, ended, nowMs), retryAfterMs: undefined };
  if (ended.status === "cancelled") return { finish: cancellation(started, ended, nowMs), retryAfterMs: undefined };
  if (ended.status === "iterated") return iteration(started, ended, nowMs);
  return setback(started, ended, rule, nowMs);
}

/** The attempt was no failure: the next one has all its retries again, and begins at once. */
function iteration(started: StartedAttempt, ended: IteratedAttempt, nowMs: number): RecordedOutcome {
  const good = { ...ended, status: "succeeded" } as const;
  const record: ShardRecord = {
    ...endedRecord(started, good, nowMs),
    history: withAttempt(started, good, nowMs),
    status: "backoff",
    until_ms: nowMs,
    tries: 0,
    losses: 0,
    iteration: ended.iteration,
    previous: ended.output,
  };
  const data = {
    iteration: ended.iteration,
    duration_ms: ended.durationMs,
    revision: started.ref.revision,
    ...usageData(ended),
  };
  const events = [["shard_iterated", data]] as const;
  return { finish: finish(started, ended, nowMs, { outcome: "backoff", record, events }), retryAfterMs: 1 };
}

/** A shard that has succeeded is never started again: what tells its starts apart is not kept. */
function success(started: StartedAttempt, ended: HandedOver & { status: "succeeded" }, nowMs: number): ShardFinish {
  const { output } = ended.result;
  const outputBytes = "inline" in output ? Buffer.byteLength(output.inline) : output.size_bytes;
  const data = {
    duration_ms: ended.durationMs,
    output_bytes: outputBytes,
    revision: started.ref.revision,
    ...usageData(ended),
  };
  const { start_token: _token, starts: _starts, seen: _seen, ...kept } = endedRecord(started, ended, nowMs);
  const record = {
    ...kept,
    status: "succeeded",
    result: ended.result,
    ...(ended.fingerprint === undefined ? {} : { fingerprint: ended.fingerprint }),
  } as const;
  const ending = finish(started, ended, nowMs, { outcome: "succeeded", record, events: [["shard_succeeded", data]] });
  return { ...ending, durationMs: ended.durationMs };
}

/** What the attempt made is not the output: the shard is tried again after its children, which counts as no retry. */
function spawning(started: StartedAttempt, ended: SpawningAttempt, nowMs: number): ShardFinish {
  const record: ShardRecord = {
    ...endedRecord(started, ended, nowMs),
    status: "spawned",
    spawned: [...(started.record.spawned ?? []), ...ended.children],
    awaits_children: true,
  };
  const data = {
    children: ended.children.map(({ child }) => child),
    duration_ms: ended.durationMs,
    revision: started.ref.revision,
    ...usageData(ended),
  };
  return finish(started, ended, nowMs, { outcome: "spawned", record, events: [["shard_spawned", data]] });
}

function cancellation(started: StartedAttempt, ended: UnsuccessfulAttempt, nowMs: number): ShardFinish {
  const record = { ...endedRecord(started, ended, nowMs), status: "cancelled" } as const;
  const { survivors } = ended.failure;
  const data = {
    reason: "run stopped",
    duration_ms: ended.durationMs,
    ...usageData(ended),
    ...(survivors === undefined ? {} : { survivors }),
  };
  return finish(started, ended, nowMs, { outcome: "cancelled", record, events: [["shard_cancelled", data]] });
}

/** An attempt that its stopping worker cut short: it counts neither as a try nor as a loss. Pure. */
export function recordGivenBack(started: StartedAttempt, ended: UnsuccessfulAttempt, nowMs: number): ShardFinish {
  const { failure: _failure, ...cutShort } = ended;
  const record = { ...endedRecord(started, { ...cutShort, status: "given_back" }, nowMs), status: "released" } as const;
  const data = { worker: started.record.worker ?? "", duration_ms: ended.durationMs, ...usageData(ended) };
  return finish(started, ended, nowMs, { outcome: "given_back", record, events: [["shard_given_back", data]] });
}

/** An attempt that was started and let go of before it began. Pure. */
export function recordNotBegun(started: StartedAttempt, nowMs: number): ShardFinish {
  return recordGivenBack(started, NOT_BEGUN, nowMs);
}

const NOT_BEGUN = {
  status: "cancelled",
  failure: { error_code: "CANCELLED", why: "let go of before it began" },
  log: undefined,
  usage: undefined,
  durationMs: 0,
} as const;

type Failed = UnsuccessfulAttempt;

function setback(started: StartedAttempt, ended: Failed, rule: RetryRule, nowMs: number): RecordedOutcome {
  const { runId, ref, attempt } = started;
  const tries = (started.record.tries ?? 0) + 1;
  const retry = decideRetry({
    cause: "user",
    rule,
    timedOut: ended.status === "timed_out",
    exitCode: ended.failure.exit_code,
    userFailures: tries,
    infraLosses: started.record.losses ?? 0,
    seed: retrySeed(runId, ref.phase, ref.shard, attempt),
  });
  const timeout = timeoutEvents(ended);
  const common = { ...endedRecord(started, ended, nowMs), tries, failure: ended.failure };
  const data = { ...ended.failure, duration_ms: ended.durationMs, ...usageData(ended) };
  if (!retry.retry || !isWorthRetrying(ended)) {
    if (ended.failure.error_code === "MAX_ITERATIONS") {
      // whoever retries it by hand means all iterations
      delete common.iteration;
      delete common.previous;
    }
    const events = [...timeout, ["shard_failed", { ...data, attempts: attempt }] as const];
    const record = { ...common, status: "failed" } as const;
    return { finish: finish(started, ended, nowMs, { outcome: "failed", record, events }), retryAfterMs: undefined };
  }
  const record = { ...common, status: "backoff", until_ms: nowMs + retry.delayMs } as const;
  const events = [...timeout, ["shard_retry", { ...data, delay_ms: retry.delayMs }] as const];
  return { finish: finish(started, ended, nowMs, { outcome: "backoff", record, events }), retryAfterMs: retry.delayMs };
}

function usageData({ usage }: HandedOver): { usage?: UsageSum } {
  return usage === undefined ? {} : { usage };
}

/** Secrets that are missing or leak, plans that are not to be trusted, and what the worker forbids mend by no retry. */
function isWorthRetrying({ failure: { error_code: code } }: Failed): boolean {
  return !/^(SECRET|PLAN)_|_NOT_ALLOWED$|^MAX_ITERATIONS$/.test(code);
}

function timeoutEvents(ended: Failed): (readonly [string, object])[] {
  if (ended.status !== "timed_out") return [];
  return [["shard_timeout", { duration_ms: ended.durationMs }]];
}

type Ending = Pick<ShardFinish, "outcome" | "record" | "events">;

function finish({ attempt, fence }: StartedAttempt, ended: HandedOver, nowMs: number, ending: Ending): ShardFinish {
  return { attempt, fence, nowMs, costUsd: ended.usage?.cost_usd ?? 0, ...ending };
}

/** What an ended attempt leaves in its shard's record. */
interface EndedAttempt {
  readonly status: AttemptRecord["status"];
  readonly failure?: Failure;
  readonly log: Content | undefined;
  readonly errorContext?: Content;
  readonly consumed?: string;
}

/** The record after this attempt: a failed one joins the history, a successful one is the record itself. */
function endedRecord(started: StartedAttempt, ended: EndedAttempt, nowMs: number): Omit<ShardRecord, "status"> {
  const {
    status: _status,
    until_ms: _until,
    failure: _failure,
    consumed: _consumed,
    log: _log,
    ...kept
  } = started.record;
  const log = ended.log === undefined ? {} : { log: ended.log };
  const record = { ...kept, ...log, ...consumedBy(ended), finished_at_ms: nowMs };
  return ended.status === "succeeded" ? record : { ...record, history: withAttempt(started, ended, nowMs) };
}

function consumedBy({ consumed }: EndedAttempt): { consumed?: string } {
  return consumed === undefined ? {} : { consumed };
}

function withAttempt(started: StartedAttempt, ended: EndedAttempt, nowMs: number): AttemptRecord[] {
  const attempt: AttemptRecord = {
    attempt: started.attempt,
    status: ended.status,
    worker: started.record.worker ?? shardId(started.ref),
    started_at_ms: started.record.started_at_ms ?? nowMs,
    finished_at_ms: nowMs,
    ...(ended.failure === undefined ? {} : { failure: ended.failure }),
    ...(ended.log === undefined ? {} : { log: ended.log }),
    ...(ended.errorContext === undefined ? {} : { error_context: ended.errorContext }),
    ...consumedBy(ended),
  };
  return [...(started.record.history ?? []), attempt];
}
