import type { EventName } from "@fanfold/schemas";
import { causeClause, missingClause } from "./cause-clause.ts";
import { type EventData, readNumber, readText, readTexts } from "./event-data.ts";
import { formatBytes, formatCount, formatDuration, formatNumber } from "./human-format.ts";
import { newerInput } from "./newer-input.ts";
import { readMetrics } from "./progress-data.ts";
import type { MetricAmount } from "./progress-metric.ts";

/** What a sentence about an event may tell: a draft, or a line of the journal. */
export interface EventFacts {
  readonly event: EventName;
  readonly phase?: string | null | undefined;
  readonly shard?: number | null | undefined;
  readonly attempt?: number | null | undefined;
  readonly data?: EventData | undefined;
}

/** Longest text taken over from outside into a sentence; the event's data keeps all of it. */
const MAX_QUOTED_CHARS = 400;

/** Metrics that get a word in a sentence. */
const MAX_METRICS_TOLD = 3;

/** Processes that are named in a sentence. */
const MAX_SURVIVORS_TOLD = 5;

/** Digits of a sha256 that are enough to recognise it by. */
const SHORT_HASH_CHARS = 12;

/** Escape sequences (colours, cursor moves, titles) a program may have put into its messages. */
// oxlint-disable-next-line no-control-regex -- that is what it is for
const ESCAPE_SEQUENCES = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

/** What would break a line, act on a terminal, or change the direction of the text that follows. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;

/** One sentence for each event; a new event does not compile without one. */
const SENTENCES: { readonly [Event in EventName]: (facts: EventFacts) => string } = {
  run_queued: ({ data }) =>
    `run queued${by(data)}${clause(": plan ", planName(data))}${clause(", ", phaseCount(data))}`,
  run_started: () => "run started",
  run_succeeded: ({ data }) => `run succeeded${took(" in ", data)}${clause(", ", tolerated(data))}`,
  run_failed: ({ data }) => `run failed${took(" after ", data)}${clause(": ", runFailure(data))}`,
  run_cancelled: ({ data }) => `run cancelled${by(data)}${took(" after ", data)}`,
  run_paused: ({ data }) => `run paused${by(data)}`,
  run_resumed: ({ data }) => `run resumed${by(data)}`,
  run_reopened: ({ phase, data }) => `run reopened${by(data)}${clause(" to retry ", phase)}`,
  phase_blocked: (facts) => `${where(facts)} is blocked${clause(": ", blockage(facts.data))}`,
  phase_started: (facts) => `${where(facts)} started${clause(": ", startDetails(facts.data))}`,
  phase_progress: (facts) => `${where(facts)} ${progress(facts.data)}`,
  phase_succeeded: (facts) =>
    `${where(facts)} succeeded${took(" in ", facts.data)}${laterRevision(facts.data)}${clause(", ", reusedShards(facts.data))}${clause(", ", toleratedShards(facts.data))}`,
  phase_failed: (facts) => `${where(facts)} failed${clause(": ", phaseFailure(facts.data))}`,
  phase_skipped: (facts) => `${where(facts)} skipped${clause(": ", cause(facts.data))}`,
  phase_cancelled: (facts) => `${where(facts)} cancelled${by(facts.data)}${clause(": ", cause(facts.data))}`,
  phase_reopened: (facts) => `${where(facts)} reopened${clause(" ", reopenedFor(facts))}`,
  phase_repaired: (facts) => `${where(facts)} was put back on the queues${clause(": ", text(facts.data, "reason"))}`,
  phase_rerun: (facts) => `${where(facts)} runs again${by(facts.data)}${clause(": ", text(facts.data, "why"))}`,
  phase_invalidated: (facts) => `${where(facts)} is stale${clause(": ", oneLine(newerInput(facts.data) ?? ""))}`,
  phase_refreshed: (facts) => `${where(facts)} is up to date again`,
  phase_reused: (facts) =>
    `${where(facts)} reused its earlier output${laterRevision(facts.data)}${clause(": ", text(facts.data, "why"))}`,
  phase_spawned: (facts) =>
    `${where(facts)} was spawned${spawner(facts.data)}${clause(": ", text(facts.data, "reason"))}`,
  shard_started: (facts) => `${attempt(facts)} started${clause(" on worker ", text(facts.data, "worker"))}`,
  shard_retry: (facts) => `${attempt(facts)} failed${clause(": ", reason(facts.data))}${nextTry(facts.data)}`,
  shard_iterated: (facts) => `${where(facts)} ended ${iteration(facts.data)}${took(" in ", facts.data)} and runs again`,
  shard_timeout: (facts) => `${attempt(facts)} timed out${clause(" after ", timeTaken(facts.data))}`,
  shard_lost: (facts) => `${attempt(facts)} was lost${clause(" with worker ", text(facts.data, "worker"))}`,
  shard_given_back: (facts) =>
    `${attempt(facts)} was given back${clause(" by worker ", text(facts.data, "worker"))} and runs elsewhere`,
  shard_repaired: (facts) => `${where(facts)} was put back on its queue${clause(": ", text(facts.data, "reason"))}`,
  shard_spawned: (facts) =>
    `${attempt(facts)} spawned ${children(facts.data)}${took(" after ", facts.data)} and waits for it`,
  shard_resumed: (facts) => `${where(facts)} goes on: what it spawned has succeeded`,
  shard_reused: (facts) => `${where(facts)} reused${clause(" from ", reuseSource(facts.data))}`,
  shard_succeeded: (facts) =>
    `${attempt(facts)} succeeded${took(" in ", facts.data)}${size(facts.data, "output_bytes")}`,
  shard_failed: (facts) => `${where(facts)} failed for good${tries(facts)}${clause(": ", reason(facts.data))}`,
  shard_cancelled: (facts) =>
    `${where(facts)} cancelled${by(facts.data) || clause(": ", text(facts.data, "reason"))}${clause("; ", survivors(facts.data))}`,
  artifact_persisted: (facts) => `${where(facts)} stored ${artifact(facts.data)}`,
  artifact_rejected: (facts) => `${where(facts)} had its output rejected${clause(": ", reason(facts.data))}`,
  plan_aborted: ({ phase, data }) => `plan aborted${clause(" by ", phase)}${clause(": ", reason(data))}`,
  approval_requested: (facts) => `${where(facts)} waits for an approval${clause(": ", text(facts.data, "message"))}`,
  approval_given: ({ data, ...facts }) =>
    `${where(facts)} was ${data?.["approved"] === false ? "rejected" : "approved"}${by(data)}${clause(": ", text(data, "comment"))}`,
  worker_joined: ({ data }) => `worker${clause(" ", text(data, "worker"))} joined`,
  worker_left: ({ data }) => `worker${clause(" ", text(data, "worker"))} left`,
};

/**
 * One readable line about an event, for its `message`. It names the place (`compile[3]`) first, and leaves
 * out what the event does not carry. Text from outside comes without control characters and bounded.
 */
export function describeEvent(facts: EventFacts): string {
  return SENTENCES[facts.event](facts);
}

/** Why a phase was skipped or cancelled, as a clause: `compile failed`. A code unknown here stands for itself. */
export function describeCause(code: string, phase: string | null | undefined): string {
  return causeClause(code, phase ?? null);
}

/** Place of an event: `compile`, `compile[3]`, or `run` when it belongs to no phase. */
export function eventPlace({ phase, shard }: Pick<EventFacts, "phase" | "shard">): string {
  if (phase === undefined || phase === null) return "run";
  return shard === undefined || shard === null ? phase : `${phase}[${shard}]`;
}

function where(facts: EventFacts): string {
  return eventPlace(facts);
}

function attempt(facts: EventFacts): string {
  const number = facts.attempt ?? undefined;
  return number === undefined ? where(facts) : `${where(facts)} attempt ${number}`;
}

/** A part of a sentence that is left out with what it introduces. */
function clause(lead: string, part: string | null | undefined): string {
  return part === undefined || part === null || part === "" ? "" : `${lead}${part}`;
}

/** Text of a field on one line: a sentence must stay a sentence whatever a program printed. */
function text(data: EventData | undefined, field: string): string | undefined {
  const value = readText(data, field);
  return value === undefined ? undefined : oneLine(value);
}

function oneLine(value: string): string {
  const line = value.replaceAll(ESCAPE_SEQUENCES, "").replaceAll(UNPRINTABLE, " ").trim();
  return line.length > MAX_QUOTED_CHARS ? `${Array.from(line).slice(0, MAX_QUOTED_CHARS).join("")}…` : line;
}

function iteration(data: EventData | undefined): string {
  const number = readNumber(data, "iteration");
  return number === undefined ? "an iteration" : `iteration ${number}`;
}

function took(lead: string, data: EventData | undefined): string {
  const durationMs = readNumber(data, "duration_ms");
  return durationMs === undefined ? "" : `${lead}${formatDuration(durationMs)}`;
}

function size(data: EventData | undefined, field: string): string {
  const bytes = readNumber(data, field);
  return bytes === undefined ? "" : `, ${formatBytes(bytes)}`;
}

function by(data: EventData | undefined): string {
  return clause(" by ", text(data, "actor"));
}

/** The attempt that spawned a phase. */
function spawner(data: EventData | undefined): string {
  const phase = text(data, "spawner");
  if (phase === undefined) return "";
  const place = eventPlace({ phase, shard: readNumber(data, "spawner_shard") ?? null });
  const number = readNumber(data, "spawner_attempt");
  return ` by ${place}${number === undefined ? "" : ` attempt ${number}`}`;
}

function children(data: EventData | undefined): string {
  const phases = readTexts(data, "children").map(oneLine);
  const more = phases.length > 3 ? ` and ${phases.length - 3} more` : "";
  return phases.length === 0 ? "phases" : `${phases.slice(0, 3).join(", ")}${more}`;
}

function laterRevision(data: EventData | undefined): string {
  const revision = readNumber(data, "revision") ?? 1;
  return revision > 1 ? `, revision ${revision}` : "";
}

/** Why something failed: the cause in words, else the exit code or signal, else the error's code. */
function reason(data: EventData | undefined): string | undefined {
  const why = text(data, "why") ?? text(data, "reason");
  if (why !== undefined) return why;
  const exitCode = readNumber(data, "exit_code");
  if (exitCode !== undefined) return `exit code ${exitCode}`;
  const signal = text(data, "signal");
  return signal === undefined ? text(data, "error_code") : `killed by ${signal}`;
}

/** What a kill left behind. */
function survivors(data: EventData | undefined): string | undefined {
  const listed = data?.["survivors"];
  const ids = Array.isArray(listed) ? listed.filter((id) => typeof id === "number") : [];
  return ids.length === 0
    ? undefined
    : `even SIGKILL did not end process ${ids.slice(0, MAX_SURVIVORS_TOLD).join(", ")}`;
}

/** `run_7/compile[3]`: where a reused output was made. */
function reuseSource(data: EventData | undefined): string | undefined {
  const run = text(data, "from_run");
  const phase = text(data, "from_phase");
  if (run === undefined || phase === undefined) return run;
  return `${run}/${eventPlace({ phase, shard: readNumber(data, "from_shard") ?? null })}`;
}

function planName(data: EventData | undefined): string | undefined {
  const planId = text(data, "plan_id");
  return planId === undefined ? undefined : `${planId}${clause(" ", text(data, "plan_version"))}`;
}

function phaseCount(data: EventData | undefined): string | undefined {
  const count = readNumber(data, "phase_count");
  return count === undefined ? undefined : formatCount(count, "phase");
}

function tolerated(data: EventData | undefined): string | undefined {
  const count = readNumber(data, "tolerated_failures") ?? 0;
  return count > 0 ? `${formatCount(count, "failed phase")} tolerated` : undefined;
}

function failedPhases(data: EventData | undefined): string | undefined {
  const phases = readTexts(data, "failed_phases");
  if (phases.length === 0) return undefined;
  const more = phases.length > 3 ? ` and ${phases.length - 3} more` : "";
  return `${phases.slice(0, 3).join(", ")}${more} failed`;
}

function startDetails(data: EventData | undefined): string {
  const shardCount = readNumber(data, "shard_count");
  const strategy = text(data, "strategy");
  const records = readNumber(data, "record_count");
  const maxParallel = readNumber(data, "max_parallel");
  const isCut = strategy !== undefined && strategy !== "none" && strategy !== "full";
  const shards = shardCount === undefined ? "" : `${formatCount(shardCount, "shard")}${isCut ? ` by ${strategy}` : ""}`;
  const revision = readNumber(data, "revision") ?? 1;
  return [
    shards,
    records === undefined ? "" : formatCount(records, "record"),
    maxParallel === undefined ? "" : `at most ${maxParallel} at once`,
    clause("pool ", text(data, "pool")),
    revision > 1 ? `revision ${revision}` : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** `450 of 1,000 lines, 3 files`; a total that is not settled is `about` what it is. */
function progress(data: EventData | undefined): string {
  const metrics = readMetrics(data).slice(0, MAX_METRICS_TOLD).map(amount);
  return metrics.length === 0 ? "reports progress" : `has done ${metrics.join(", ")}`;
}

function amount({ completed, total, total_status: status, unit }: MetricAmount): string {
  const of = total === null ? "" : ` of ${status === "locked" ? "" : "about "}${formatNumber(total)}`;
  return `${formatNumber(completed)}${of} ${oneLine(unit)}`;
}

/** All that a blocked phase lacks. */
function blockage(data: EventData | undefined): string | undefined {
  const missing = missingClause(readTexts(data, "missing"));
  return text(data, "why") ?? (missing === undefined ? (cause(data) ?? reason(data)) : oneLine(missing));
}

function runFailure(data: EventData | undefined): string | undefined {
  const parts = [cause(data), failedPhases(data)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join("; ");
}

function reusedShards(data: EventData | undefined): string | undefined {
  const count = readNumber(data, "reused_shards") ?? 0;
  return count > 0 ? `${formatCount(count, "shard")} reused` : undefined;
}

function toleratedShards(data: EventData | undefined): string | undefined {
  const listed = data?.["tolerated_shards"];
  const count = Array.isArray(listed) ? listed.length : (readNumber(data, "tolerated_shards") ?? 0);
  return count > 0 ? `${formatCount(count, "failed shard")} tolerated` : undefined;
}

function phaseFailure(data: EventData | undefined): string | undefined {
  const failedShards = readNumber(data, "failed_shards");
  const why = reason(data) ?? (failedShards === undefined ? undefined : `${formatCount(failedShards, "shard")} failed`);
  if (data?.["tolerated"] !== true) return why;
  return why === undefined ? "the plan tolerates it" : `${why} (the plan tolerates it)`;
}

function cause(data: EventData | undefined): string | undefined {
  const code = text(data, "cause");
  return code === undefined ? undefined : describeCause(code, text(data, "cause_phase"));
}

function reopenedFor({ phase, data }: EventFacts): string | undefined {
  const culprit = text(data, "cause_phase");
  if (culprit === undefined) return undefined;
  return culprit === phase ? "for a retry" : `because ${culprit} is retried`;
}

function nextTry(data: EventData | undefined): string {
  const delayMs = readNumber(data, "delay_ms");
  return delayMs === undefined ? "" : `; next attempt in ${formatDuration(delayMs)}`;
}

function timeTaken(data: EventData | undefined): string | undefined {
  const durationMs = readNumber(data, "duration_ms");
  return durationMs === undefined ? undefined : formatDuration(durationMs);
}

function tries(facts: EventFacts): string {
  const count = readNumber(facts.data, "attempts") ?? facts.attempt ?? undefined;
  return count === undefined ? "" : ` after ${formatCount(count, "attempt")}`;
}

function artifact(data: EventData | undefined): string {
  const records = readNumber(data, "record_count");
  const hash = text(data, "sha256")?.slice(0, SHORT_HASH_CHARS);
  const count = records === undefined ? "" : `, ${formatCount(records, "record")}`;
  return `${text(data, "name") ?? "an output"}${size(data, "size_bytes")}${count}${clause(", sha256 ", hash)}`;
}
