import { createReadStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ShardOutputs } from "@fanfold/core";
import { artifactOf, keepContent } from "@fanfold/engine";
import type { Artifact, CompiledMerge, CompiledPhase, Failure, Fold } from "@fanfold/schemas";
import { jobIds, type ShardRef, type Store } from "@fanfold/store";
import type { AttemptOutcome, AttemptOutput, AttemptSpec } from "./attempt/attempt-spec.ts";
import { runAttempt } from "./attempt/run-attempt.ts";
import type { FoldContext, FoldTask } from "./fold-task.ts";
import { throwIfGivenUp } from "./given-up-fold.ts";
import { OutputFiles } from "./output-files.ts";
import { OutputShipper } from "./output-shipper.ts";
import { findDistrust } from "./plan-distrust.ts";

/** Most output files a command gets as arguments: more might not fit the command line of the system. */
const MAX_OUTPUT_ARGUMENTS = 1_000;

/** A merge is no shard; where it needs an index among them, such as in FANFOLD_SHARD_INDEX, it is this. */
const NO_SHARD = -1;

type SucceededOutcome = Extract<AttemptOutcome, { status: "succeeded" }>;
type CustomMerge = Extract<CompiledMerge, { strategy: "command" | "handler" }>;

/**
 * Folds shard outputs by a command or a handler of the plan. It runs like an attempt of a shard: same environment, same
 * timeout, killed with its run. Its output is the phase's, and so are the artifacts it reports.
 *
 * A command gets the output files as its last arguments, in shard order, unless there are more than 1,000; a file with
 * one path a line is always in FANFOLD_SHARD_OUTPUTS. A handler gets that as `ctx.env.FANFOLD_SHARD_OUTPUTS`, the paths
 * as `ctx.outputs`, and the outputs themselves from `ctx.readOutputs()`.
 *
 * @returns the artifacts, or the failure of the command or handler; it is not tried again by itself
 * @throws {FoldGivenUp} when the fold has to be given up here, and starts anew
 */
export async function foldByWork(
  context: FoldContext,
  task: FoldTask,
  merge: CustomMerge,
  outputs: ShardOutputs,
): Promise<Fold> {
  const { runId, ref, job, signal } = task;
  const distrust = findDistrust(runId, task.plan);
  if (distrust !== undefined) return rejected(merge, distrust);
  const shard: ShardRef = { ...ref, shard: NO_SHARD };
  const scratchDir = resolve(context.inputs.scratchDir(runId, shard, job.attemptsStarted));
  try {
    const needsFiles = merge.strategy === "command";
    const [files] = await Promise.all([
      OutputFiles.gather(outputs, join(scratchDir, "outputs"), { needsFiles, signal }),
      endIfStopped(context, task),
    ]);
    const spec = await buildSpec(context, task, { merge, files, scratchDir });
    await context.inputs.noteConsumed(runId, { ...shard, attempt: spec.attempt }, task.phase);
    const outcome = await run(context.store, task, spec, { signal });
    if (signal.reason === "lock_lost" || outcome.status === "cancelled") throwIfGivenUp(signal);
    if (outcome.status === "spawned") throw new Error("a merge cannot spawn phases");
    if (outcome.status !== "succeeded") return rejected(merge, outcome.failure);
    const missing = missingArtifacts(spec, outcome);
    if (missing.length > 0) return rejected(merge, notReported(missing));
    return { artifacts: await keepArtifacts(context.store, spec, outcome) };
  } finally {
    if (existsSync(scratchDir)) await rm(scratchDir, { recursive: true, force: true });
  }
}

/** Whoever stopped the run before may not have known of this fold. */
async function endIfStopped({ store, active }: FoldContext, { runId, ref }: FoldTask): Promise<void> {
  const { stopped, kills } = await store.runs.findStop(runId);
  if (stopped && kills) active.abortJob(jobIds.aggregate(runId, ref.phase, ref.revision), "run_stopped");
}

function rejected({ strategy }: CustomMerge, failure: Failure): Fold {
  return { failure: { ...failure, why: `merge ${strategy}: ${failure.why}` } };
}

/** Artifacts that the phase provides beside its output, and the merge did not report. */
function missingArtifacts({ phase }: AttemptSpec, { artifacts }: SucceededOutcome): string[] {
  return phase.provides.slice(1).filter((name) => !artifacts.some((artifact) => artifact.name === name));
}

function notReported(names: readonly string[]): Failure {
  return {
    error_code: "ARTIFACT_MISSING",
    why: `the phase provides ${names.join(", ")}, which was not reported`,
    next_action: "report it as an artifact, or take it out of provides of the phase",
  };
}

interface PreparedMerge {
  readonly merge: CustomMerge;
  readonly files: OutputFiles;
  readonly scratchDir: string;
}

async function buildSpec(
  { inputs, workspaceDir, rules }: FoldContext,
  { runId, ref, shardCount, plan: { plan }, phase, job }: FoldTask,
  { merge, files, scratchDir }: PreparedMerge,
): Promise<AttemptSpec> {
  const env = merge.strategy === "command" ? { ...phase.env, FANFOLD_SHARD_OUTPUTS: files.list } : phase.env;
  return {
    runId,
    phase: { ...withoutCollect(phase), work: workOf(merge, files), env },
    revision: ref.revision,
    shardIndex: NO_SHARD,
    shardCount,
    attempt: job.attemptsStarted,
    planEnv: plan.env,
    workspaceDir,
    rules,
    baseDir: plan.base_dir,
    scratchDir,
    inputFile: null,
    shardOutputs: files,
    artifactsDir: await inputs.artifactsDir(runId, ref, phase),
    killGraceMs: plan.kill_grace_sec * 1000,
    timeoutMs: phase.timeout_sec * 1000,
  };
}

/** What `collect` names is collected from the shards. */
function withoutCollect({ collect: _collect, ...phase }: CompiledPhase): CompiledPhase {
  return phase;
}

function workOf(merge: CustomMerge, files: OutputFiles): AttemptSpec["phase"]["work"] {
  if (merge.strategy === "handler") return { kind: "handler", handler: merge.handler };
  return { kind: "command", command: merge.command, args: withOutputs(merge.args, files.paths()), shell: false };
}

/** Arguments of a merge command: its own, then the output files, unless there are too many of them. */
export function withOutputs(args: readonly string[], paths: readonly string[]): string[] {
  return paths.length > MAX_OUTPUT_ARGUMENTS ? [...args] : [...args, ...paths];
}

/** Runs the work, with its output shown live and in the log of the job. */
async function run(
  store: Store,
  { runId, ref, job }: FoldTask,
  spec: AttemptSpec,
  options: { signal: AbortSignal },
): Promise<AttemptOutcome> {
  const shipper = new OutputShipper(store.logs, {
    runId,
    ref: { ...ref, shard: NO_SHARD },
    attempt: spec.attempt,
    job,
  });
  try {
    return await runAttempt(spec, { onOutput: (chunk, stream) => shipper.push(chunk, stream) }, options);
  } finally {
    await shipper.close();
  }
}

async function keepArtifacts(
  store: Store,
  { phase }: AttemptSpec,
  { output, outputMeta, artifacts }: SucceededOutcome,
): Promise<Artifact[]> {
  const content = await keepContent(store.artifacts, bytesOf(output));
  const kept = [artifactOf(phase.provides[0] ?? phase.id, content, outputMeta)];
  for (const { name, file, meta } of artifacts) {
    kept.push(artifactOf(name, await keepContent(store.artifacts, createReadStream(file)), meta));
  }
  return kept;
}

function bytesOf(output: AttemptOutput): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return "file" in output ? createReadStream(output.file) : [output.bytes];
}
