import { type FileHandle, open } from "node:fs/promises";
import type { Failure, Work } from "@fanfold/schemas";
import { AttemptMasks } from "./attempt/attempt-masks.ts";
import type { AttemptOutput, AttemptSpec } from "./attempt/attempt-spec.ts";
import { commandEnv } from "./attempt/command-env.ts";
import { inheritedEnv } from "./attempt/inherited-env.ts";
import { OutputTail } from "./attempt/output-tail.ts";
import { scratchFiles } from "./attempt/scratch-files.ts";

/** End of the log that is read for the last lines, in bytes. */
const TAIL_BYTES = 16 * 1024;
/** Most characters of a command line that are kept. */
const MAX_ARGS_CHARS = 4_096;

/** An attempt that failed or took too long. */
export interface FailedAttempt {
  readonly status: string;
  readonly failure: Failure;
  readonly durationMs: number;
}

/**
 * What helps to understand why an attempt failed, as a JSON document: its failure, what was run, the last lines it wrote,
 * and the names of its environment variables. Values of variables are never in it, secrets stand as the plan names
 * them, and the lines are those of the log, which are masked.
 *
 * @param log output of the attempt, if there was any
 */
export async function errorContext(
  spec: AttemptSpec,
  failed: FailedAttempt,
  log: AttemptOutput | undefined,
): Promise<Uint8Array> {
  const { status, failure, durationMs } = failed;
  const document = {
    run_id: spec.runId,
    phase: spec.phase.id,
    revision: spec.revision,
    shard: spec.shardIndex,
    attempt: spec.attempt,
    status,
    ...failure,
    duration_ms: durationMs,
    ...describeWork(spec.phase.work),
    cwd: spec.phase.cwd,
    env_names: envNames(spec),
    last_lines: await lastLines(log),
  };
  return Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
}

type DescribedWork = { handler: string } | { command: string; args: string[]; shell: boolean };

function describeWork(work: Work): DescribedWork | undefined {
  const masks = new AttemptMasks(new Map());
  if (work.kind === "handler") return { handler: work.handler };
  if (work.kind === "approval") return undefined;
  const args: string[] = [];
  let left = MAX_ARGS_CHARS;
  for (const arg of work.args) {
    if (left <= 0) {
      args.push(`… ${work.args.length - args.length} more`);
      break;
    }
    const text = masks.text(arg);
    args.push(text.length > left ? `${text.slice(0, left)}…` : text);
    left -= text.length;
  }
  return { command: masks.text(work.command).slice(0, MAX_ARGS_CHARS), args, shell: work.shell };
}

function envNames(spec: AttemptSpec): string[] {
  const env = { ...spec.planEnv, ...spec.phase.env };
  if (spec.phase.work.kind === "handler") return Object.keys(env).sort();
  return Object.keys(
    commandEnv(
      { spec, files: scratchFiles(spec.scratchDir), id: "", env },
      inheritedEnv(process.env, spec.rules?.passedEnv ?? null),
    ),
  ).sort();
}

async function lastLines(log: AttemptOutput | undefined): Promise<string[]> {
  const tail = new OutputTail();
  if (log === undefined) return [];
  tail.add("bytes" in log ? log.bytes : await readTail(log.file));
  return tail.lines();
}

/** The end of a file; nothing when it cannot be read. */
async function readTail(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    await file.read(bytes, 0, bytes.byteLength, size - bytes.byteLength);
    return bytes;
  } catch {
    return new Uint8Array();
  } finally {
    await file?.close();
  }
}
