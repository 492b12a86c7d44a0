import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { RunView } from "@fanfold/core";
import { contentOf } from "@fanfold/engine";
import type { Content } from "@fanfold/schemas";
import { readContent, type ShardRef, StoreError, streamContent } from "@fanfold/store";
import type { Session } from "./session.ts";
import type { FailureLog } from "./view/run-summary-text.ts";

/** Lines of a failed attempt's output that a summary shows. */
const SHOWN_LOG_LINES = 20;
/** End of a log that is read for them, in bytes. */
const LOG_TAIL_BYTES = 16 * 1024;

/** Directory of a run's files in the workspace. */
export function runDirOf(session: Session, runId: string): string {
  return dirOfRun(session.config.stateDir, runId);
}

/** Removes the files of a run from the workspace. @param stateDir `.fanfold` of the workspace */
export async function removeRunDir(stateDir: string, runId: string): Promise<void> {
  await rm(dirOfRun(stateDir, runId), { recursive: true, force: true });
}

function dirOfRun(stateDir: string, runId: string): string {
  return join(stateDir, "runs", runId);
}

/** An output of a run, as `--json` tells it. */
export interface RunOutput {
  readonly phase: string;
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
  /** Where it is on this machine; null when the machine cannot reach the artifact store. */
  readonly file: string | null;
}

/**
 * Writes the outputs of the phases nothing depends on, and that were not spawned. One that this machine cannot reach has no file: whoever
 * only watches need not share the artifact store. The outputs of the instances of a matrix share a directory.
 */
export async function writeOutputs(session: Session, runId: string): Promise<RunOutput[]> {
  await session.engine.recall(runId);
  const { graph } = await session.engine.plan(runId);
  const records = await session.store.runs.loadPhases(runId);
  const dir = join(runDirOf(session, runId), "outputs");
  const outputs: RunOutput[] = [];
  for (const phase of graph.ids) {
    if (graph.dependents(phase).length > 0 || graph.phase(phase).spawned !== undefined) continue;
    const point = Object.entries(graph.phase(phase).matrix).map(([dimension, value]) => `${dimension}=${value}`);
    for (const artifact of records.get(phase)?.artifacts ?? []) {
      const file = join(dir, artifact.name, point.join(","));
      const isWritten = await writeContent(session, contentOf(artifact), file);
      const { name, sha256, size_bytes } = artifact;
      outputs.push({ phase, name, sha256, size_bytes, file: isWritten ? file : null });
    }
  }
  return outputs;
}

async function writeContent(session: Session, content: Content, file: string): Promise<boolean> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await pipeline(streamContent(session.store.artifacts, content), createWriteStream(file));
    return true;
  } catch (error) {
    // part of an output must not pass for the whole
    await rm(file, { force: true });
    if (!isOutOfReach(error)) throw error;
    return false;
  }
}

function isOutOfReach(error: unknown): boolean {
  return error instanceof StoreError && error.code === "ARTIFACT_NOT_FOUND";
}

/** The last lines of what a failed shard wrote. */
async function readFailureLog(session: Session, runId: string, ref: ShardRef): Promise<FailureLog> {
  const record = await session.store.ledger.findShard(runId, ref);
  const log = record?.history?.at(-1)?.log;
  const { phase, shard } = ref;
  if (log === undefined) return { phase, shard, lines: [] };
  const sizeBytes = "inline" in log ? Buffer.byteLength(log.inline) : log.size_bytes;
  const range = { start: Math.max(0, sizeBytes - LOG_TAIL_BYTES), end: sizeBytes };
  try {
    const text = Buffer.from(await readContent(session.store.artifacts, log, range)).toString("utf8");
    return { phase, shard, lines: text.trimEnd().split("\n").slice(-SHOWN_LOG_LINES) };
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
    return { phase, shard, lines: [] };
  }
}

/** Logs of the first failures of a run, for its summary. */
export async function readFailureLogs(session: Session, view: RunView, limit: number): Promise<FailureLog[]> {
  const logs: FailureLog[] = [];
  for (const phase of view.phases.values()) {
    const counts = await session.store.ledger.findPhase(view.run_id, phase.phase);
    if (counts?.failed_shard === undefined || logs.length >= limit || phase.status !== "failed") continue;
    const ref = { phase: phase.phase, revision: counts.revision, shard: counts.failed_shard };
    logs.push(await readFailureLog(session, view.run_id, ref));
  }
  return logs;
}
