import { createHash } from "node:crypto";
import type { RunEngine } from "@fanfold/engine";
import type {
  AttemptDocument,
  AttemptParams,
  AttemptRecord,
  CompiledPhase,
  Content,
  ShardRecord,
  ShardRow,
  ShardStand,
  ShardStatus,
} from "@fanfold/schemas";
import { blockOf, jobIds, type ShardRef, shardQueue } from "@fanfold/store";
import { ApiFailure } from "./api-failure.ts";

/** A phase of a run, in the revision that is in the making or was made last. */
export interface PhasePlace {
  readonly runId: string;
  readonly definition: CompiledPhase;
  /** 0 before the phase was opened. */
  readonly revision: number;
}

const STANDS: Record<ShardStatus, ShardStand> = {
  released: "waiting",
  waiting: "waiting",
  running: "running",
  backoff: "backoff",
  spawned: "spawned",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

/** A phase of a run. @throws {StoreError} RUN_NOT_FOUND @throws {ApiFailure} NOT_FOUND */
export async function findPhase(engine: RunEngine, runId: string, phase: string): Promise<PhasePlace> {
  await engine.recall(runId);
  const { plan } = await engine.plan(runId);
  const definition = plan.phases.find(({ id }) => id === phase);
  if (definition === undefined) throw new ApiFailure("NOT_FOUND", `run ${runId} has no phase ${phase}`);
  const counts = await engine.store.ledger.findPhase(runId, phase);
  return { runId, definition, revision: counts?.revision ?? 0 };
}

/** A shard's row of a table; without a record it has not been released yet. */
export function shardRow(
  place: PhasePlace,
  shard: number,
  record: ShardRecord | undefined,
  { nowMs, basePath }: { nowMs: number; basePath: string },
): ShardRow {
  const status = record === undefined ? "waiting" : STANDS[record.status];
  const startedAtMs = record?.started_at_ms ?? null;
  const finishedAtMs = status === "running" ? null : (record?.finished_at_ms ?? null);
  return {
    shard,
    status,
    attempt: record?.attempt ?? null,
    worker: record?.worker ?? null,
    started_at_ms: startedAtMs,
    finished_at_ms: finishedAtMs,
    duration_ms: durationOf(startedAtMs, finishedAtMs ?? (status === "running" ? nowMs : null)),
    attempts: record?.attempt ?? 0,
    failure: status === "failed" ? (record?.failure ?? null) : null,
    job_url:
      record === undefined || record.reused_from !== undefined ? null : jobUrl(place, { shard, record }, basePath),
  };
}

/** Attempts of a shard, oldest first. */
export function listAttempts(record: ShardRecord | undefined, nowMs: number): AttemptDocument[] {
  const earlier = (record?.history ?? []).map((attempt) => attemptDocument(attempt));
  const { attempt, worker = null, started_at_ms: startedAtMs = null } = record ?? {};
  if (record === undefined || attempt === undefined || earlier.some((known) => known.attempt === attempt))
    return earlier;
  const isRunning = record.status === "running";
  const finishedAtMs = isRunning ? null : (record.finished_at_ms ?? null);
  const latest: AttemptDocument = {
    attempt,
    status: isRunning ? "running" : record.status === "succeeded" ? "succeeded" : "lost",
    worker,
    started_at_ms: startedAtMs,
    finished_at_ms: finishedAtMs,
    duration_ms: durationOf(startedAtMs, isRunning ? nowMs : finishedAtMs),
    failure: record.failure ?? null,
  };
  return [...earlier, latest];
}

function attemptDocument({ attempt, status, worker, failure, ...times }: AttemptRecord): AttemptDocument {
  const finishedAtMs = times.finished_at_ms ?? null;
  return {
    attempt,
    status,
    worker,
    started_at_ms: times.started_at_ms,
    finished_at_ms: finishedAtMs,
    duration_ms: durationOf(times.started_at_ms, finishedAtMs),
    failure: failure ?? null,
  };
}

/** Size and hash of an output. */
export function outputFacts(record: ShardRecord | undefined): { size_bytes: number; sha256: string } | null {
  const output = record?.result?.output;
  if (output === undefined) return null;
  if (!("inline" in output)) return { size_bytes: output.size_bytes, sha256: output.sha256 };
  const bytes = Buffer.from(output.inline, "utf8");
  return { size_bytes: bytes.byteLength, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** An attempt of a shard, and where its output is. */
export interface AttemptPlace {
  readonly ref: ShardRef;
  readonly attempt: number;
  /** Whether nothing more will come. */
  readonly isOver: boolean;
  /** Whole output of an attempt that is over; without it there is what is left of its live output. */
  readonly log: Content | undefined;
}

/** An attempt of a shard. @throws {StoreError} RUN_NOT_FOUND @throws {ApiFailure} NOT_FOUND */
export async function findAttempt(
  engine: RunEngine,
  { run, phase, shard, attempt }: AttemptParams,
): Promise<AttemptPlace> {
  const { revision } = await findPhase(engine, run, phase);
  const ref = { phase, revision, shard };
  const record = await engine.store.ledger.findShard(run, ref);
  if (record?.attempt === undefined || attempt > record.attempt) {
    throw new ApiFailure("NOT_FOUND", `shard ${shard} of ${phase} has no attempt ${attempt}`);
  }
  const isLatest = record.attempt === attempt;
  const earlier = record.history?.find((one) => one.attempt === attempt);
  const isOver = !isLatest || record.status !== "running";
  return { ref, attempt, isOver, log: earlier?.log ?? (isLatest && isOver ? record.log : undefined) };
}

function durationOf(startedAtMs: number | null, endMs: number | null): number | null {
  return startedAtMs === null || endMs === null ? null : Math.max(0, endMs - startedAtMs);
}

/** Where the job is that carries a shard: its own, that of its block, or another one. */
function jobUrl(
  { runId, definition, revision }: PhasePlace,
  { shard, record: { block, own_job: ownJob, carrier } }: { readonly shard: number; readonly record: ShardRecord },
  basePath: string,
): string {
  const ref = { phase: definition.id, revision, shard };
  const isInBlock = block !== undefined && ownJob !== true;
  const id = carrier ?? (isInBlock ? jobIds.block(runId, blockOf(ref, block)) : jobIds.shard(runId, ref));
  return `${basePath}/queues/queue/${encodeURIComponent(shardQueue(definition.pool))}/${encodeURIComponent(id)}`;
}
