import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { checkOutput, itemText, type JsonValue, replaceItem, type UsageSum } from "@fanfold/core";
import { keepContent, type RunPlan, systemClock } from "@fanfold/engine";
import type {
  ArtifactMeta,
  AttemptRecord,
  CompiledPhase,
  Content,
  Failure,
  ShardResult,
  SpawnedChild,
} from "@fanfold/schemas";
import { type ShardRef, type Store, StoreError, streamContent } from "@fanfold/store";
import type {
  AttemptHooks,
  AttemptItem,
  AttemptOutcome,
  AttemptOutput,
  AttemptSpawn,
  AttemptSpec,
} from "./attempt/attempt-spec.ts";
import type { CommandPlace } from "./attempt/command-place.ts";
import type { Handler } from "./attempt/define-handler.ts";
import { runAttempt } from "./attempt/run-attempt.ts";
import { settlesWithin } from "./attempt/settles-within.ts";
import type { WorkerRules } from "./attempt/worker-rules.ts";
import { buildPrompt } from "./attempt-prompt.ts";
import { hasSubmittedCode } from "./code-check.ts";
import { AttemptUsage } from "./attempt-usage.ts";
import type { HandlerPaces } from "./handler-paces.ts";
import type { OutputShipper } from "./output-shipper.ts";
import { errorContext } from "./error-context.ts";
import { findDistrust } from "./plan-distrust.ts";
import { judgeIteration } from "./repeat-phase.ts";
import { ProgressReporter } from "./progress-reporter.ts";
import type { Scratch } from "./scratch-dirs.ts";
import { writeSmall } from "./small-file.ts";
import type { ShardInputs } from "./shard-inputs.ts";
import { keepChildren, prepareSpawn } from "./spawn-files.ts";
import type { StandstillWatch } from "./standstill-watch.ts";

/** Largest log of an attempt kept in Redis, in bytes; a longer one goes to the artifact store. */
const MAX_INLINE_LOG_BYTES = 2 * 1024;
/** Longest time an ended attempt waits for its last live output to be taken, in ms: Redis may be away. */
const FAREWELL_MS = 1_000;

/** One attempt, as the worker sees it. */
export interface AttemptTask {
  readonly runId: string;
  readonly ref: ShardRef;
  readonly shardCount: number;
  readonly attempt: number;
  /** Iterations that have ended, and the output of the last of them. */
  readonly repeated?: { readonly iterations: number; readonly previous: Content };
  /** Earlier attempts of the shard, oldest first. */
  readonly history: readonly AttemptRecord[];
  /** What earlier attempts of the shard spawned. */
  readonly children: readonly SpawnedChild[];
  readonly plan: RunPlan;
  readonly phase: CompiledPhase;
  readonly scratch: Scratch;
  /** What the attempts of a block have in common. */
  readonly shared?: SharedByBlock;
}

/** What is read once for the attempts of a block. */
export interface SharedByBlock {
  /** Records of a shard, as text. */
  readonly recordsOf: (shard: number) => Promise<string | undefined>;
  /** The same, where they have been read for all of them. */
  readonly recordsAtHand: (shard: number) => string | undefined;
  readonly handlers: Map<string, Promise<Handler<unknown>>>;
  /** Where their commands are run; absent for attempts that follow from one another. */
  readonly places?: Map<string, CommandPlace>;
}

/** What came of an attempt, with its output and log handed over to the artifact store. */
export type HandedOver =
  | {
      readonly status: "succeeded";
      readonly result: ShardResult;
      /** Under which the result may be reused. */
      readonly fingerprint?: string;
      readonly consumed?: string;
      readonly log: Content | undefined;
      readonly usage: UsageSum | undefined;
      readonly durationMs: number;
    }
  | IteratedAttempt
  | SpawningAttempt
  | UnsuccessfulAttempt;

/** An attempt that ended well, and whose phase is to run again on its output. */
export interface IteratedAttempt {
  readonly status: "iterated";
  /** The iteration that has ended, counted from 1. */
  readonly iteration: number;
  readonly output: Content;
  readonly log: Content | undefined;
  readonly usage: UsageSum | undefined;
  readonly durationMs: number;
}

/** An attempt that ended well, and whose shard goes on once these children have. */
export interface SpawningAttempt {
  readonly status: "spawned";
  readonly children: SpawnedChild[];
  readonly consumed?: string;
  readonly log: Content | undefined;
  readonly usage: UsageSum | undefined;
  readonly durationMs: number;
}

/** An attempt that was not a success, with its log handed over. */
export interface UnsuccessfulAttempt {
  readonly status: "failed" | "timed_out" | "cancelled";
  readonly failure: Failure;
  readonly log: Content | undefined;
  readonly errorContext?: Content;
  /** Id of the set of artifacts the attempt was given. */
  readonly consumed?: string;
  readonly usage: UsageSum | undefined;
  readonly durationMs: number;
}

/** Where a worker runs attempts. */
export interface AttemptPlace {
  readonly store: Store;
  readonly inputs: ShardInputs;
  readonly watch: StandstillWatch;
  readonly paces: HandlerPaces;
  readonly workspaceDir: string;
  readonly rules: WorkerRules;
}

/**
 * Runs an attempt with its inputs fetched, and hands over what it made. Never rejects: an input that cannot be
 * had, or a store that cannot take the output, fails the attempt.
 */
export async function executeAttempt(
  place: AttemptPlace,
  task: AttemptTask,
  shipper: OutputShipper,
  options: { signal: AbortSignal },
): Promise<HandedOver> {
  const startedAtMs = systemClock.nowMs();
  const distrust = findDistrust(task.runId, task.plan);
  if (distrust !== undefined) return refused(distrust);
  try {
    return await attemptOnce(place, task, shipper, options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const error_code = error instanceof StoreError ? error.code : "WORKER_ERROR";
    const durationMs = systemClock.nowMs() - startedAtMs;
    return { status: "failed", failure: { error_code, why }, log: undefined, usage: undefined, durationMs };
  }
}

function refused(failure: Failure): UnsuccessfulAttempt {
  return { status: "failed", failure, log: undefined, usage: undefined, durationMs: 0 };
}

async function attemptOnce(
  place: AttemptPlace,
  task: AttemptTask,
  shipper: OutputShipper,
  { signal }: { signal: AbortSignal },
): Promise<HandedOver> {
  const { spawn, consumed: ofChildren } = await prepareSpawn(place.store, task);
  const spec = await buildSpec(place, task, spawn);
  const reader = { ...task.ref, attempt: task.attempt };
  const consumed = await place.inputs.noteConsumed(task.runId, reader, task.phase, ofChildren);
  const usage = new AttemptUsage(task.phase.cost, task.plan.plan.prices);
  const progress = new ProgressReporter(place.store, task);
  let begunAtMs = Number.NaN;
  const hooks: AttemptHooks = {
    onBegin: () => {
      place.watch.look();
      begunAtMs = performance.now();
    },
    onClear: () => task.scratch.markClear(),
    onOutput: (chunk, stream) => shipper.push(chunk, stream),
    onEvent: (event) => {
      usage.take(event);
      progress.update(usage.metrics);
    },
  };
  const isAsSubmitted = await hasSubmittedCode(task.plan.plan, task.phase, place.workspaceDir);
  const outcome = await runAttempt(spec, hooks, { signal });
  if (outcome.status === "succeeded") place.paces.note(task.phase, performance.now() - begunAtMs);
  await settlesWithin(Promise.all([shipper.close(), progress.close()]), FAREWELL_MS);
  const log =
    outcome.log === undefined
      ? undefined
      : await keepContent(place.store.artifacts, streamOutput(outcome.log), MAX_INLINE_LOG_BYTES);
  const told = { log, usage: usage.summary, ...(consumed === undefined ? {} : { consumed }) };
  if (outcome.status === "spawned") {
    const children = await keepChildren(place.store, task, outcome.asked);
    return { status: "spawned", children, durationMs: outcome.durationMs, ...told };
  }
  const handed = outcome.status === "succeeded" ? await handOver(place.store, task, outcome) : outcome;
  const iteration = (task.repeated?.iterations ?? 0) + 1;
  const ended: HandedOver =
    handed.status === "succeeded"
      ? await judgeIteration(place.store, task.phase, iteration, { ...handed, ...told })
      : { ...handed, ...told };
  if (ended.status === "succeeded") return { ...ended, ...(isAsSubmitted ? await fingerprintOf(place, task) : {}) };
  if (ended.status !== "failed" && ended.status !== "timed_out") return ended;
  const context = [await errorContext(spec, ended, outcome.log)];
  return { ...ended, errorContext: await keepContent(place.store.artifacts, context, MAX_INLINE_LOG_BYTES) };
}

/** What an output is kept under to be reused, where its phase and its files allow that. */
async function fingerprintOf(place: AttemptPlace, task: AttemptTask): Promise<{ fingerprint?: string }> {
  // what it has made of its children cannot be told from its own inputs
  if (task.phase.reuse === undefined || task.children.length > 0) return {};
  if (!(await hasSubmittedCode(task.plan.plan, task.phase, place.workspaceDir))) return {};
  const fingerprint = await place.inputs.findFingerprint(task.runId, task.ref, task.plan).catch((error: unknown) => {
    // the work is done: an output that cannot be reused is an output all the same
    if (error instanceof StoreError) return undefined;
    throw error;
  });
  return fingerprint === undefined ? {} : { fingerprint };
}

async function buildSpec(place: AttemptPlace, task: AttemptTask, spawn: AttemptSpawn): Promise<AttemptSpec> {
  const { runId, ref, phase } = task;
  const { plan } = task.plan;
  const isHandler = phase.work.kind === "handler";
  const inputText = isHandler ? await readRecords(place, task) : undefined;
  const inputFile = isHandler ? null : await writeRecords(place, task);
  const item = await readItem(phase, ref.shard, { inputFile, inputText });
  const asked = spawn.order?.value.prompt;
  const prompted = asked === undefined ? phase : { ...phase, prompt: asked };
  const prompt = await buildPrompt({ ...task, store: place.store }, prompted, item);
  return {
    runId,
    phase: item === undefined ? phase : { ...phase, cwd: replaceItem(phase.cwd, item) },
    revision: ref.revision,
    shardIndex: ref.shard,
    shardCount: task.shardCount,
    attempt: task.attempt,
    planEnv: plan.env,
    workspaceDir: place.workspaceDir,
    rules: place.rules,
    baseDir: plan.base_dir,
    scratchDir: task.scratch.dir,
    inputFile,
    ...(inputText === undefined ? {} : { inputText }),
    ...(task.shared === undefined ? {} : { handlers: task.shared.handlers }),
    ...(task.shared?.places === undefined ? {} : { places: task.shared.places }),
    ...(item === undefined ? {} : { item }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(await prepareIteration(place.store, task)),
    artifactsDir: await place.inputs.artifactsDir(runId, ref, phase),
    spawn,
    killGraceMs: plan.kill_grace_sec * 1000,
    timeoutMs: phase.timeout_sec * 1000,
    checkOutput: (output) => checkForMerge(phase, output),
  };
}

function readRecords(
  { inputs }: AttemptPlace,
  { runId, ref, phase, shared }: AttemptTask,
): Promise<string | undefined> {
  return shared === undefined ? inputs.readRecords(runId, ref, phase) : shared.recordsOf(ref.shard);
}

/** The file with the records of a shard; null when its phase is not sharded. */
async function writeRecords(
  { inputs }: AttemptPlace,
  { runId, ref, phase, scratch, shared }: AttemptTask,
): Promise<string | null> {
  const file = join(scratch.dir, "input.jsonl");
  const text = shared?.recordsAtHand(ref.shard);
  if (text === undefined) return inputs.writeRecords(runId, ref, phase, file);
  writeSmall(file, text);
  return file;
}

/** What an iteration knows of the one before. */
async function prepareIteration(
  store: Store,
  { phase, repeated, scratch: { dir } }: AttemptTask,
): Promise<Pick<AttemptSpec, "iteration">> {
  if (phase.repeat === undefined) return {};
  if (repeated === undefined) return { iteration: { number: 1, previousFile: null } };
  const previousFile = join(dir, "previous");
  await mkdir(dir, { recursive: true });
  await pipeline(streamContent(store.artifacts, repeated.previous), createWriteStream(previousFile));
  return { iteration: { number: repeated.iterations + 1, previousFile } };
}

/** The item of a shard, which is the one record in its input. */
async function readItem(
  { for_each }: CompiledPhase,
  index: number,
  { inputFile, inputText }: Pick<AttemptSpec, "inputFile"> & { readonly inputText: string | undefined },
): Promise<AttemptItem | undefined> {
  if (for_each === undefined || (inputText === undefined && inputFile === null)) return undefined;
  const item: JsonValue = JSON.parse(inputText ?? (await readFile(inputFile ?? "", "utf8")));
  return { text: itemText(item), index };
}

/** An output its merge could not fold fails the attempt that made it, not the merge. */
async function checkForMerge({ merge, matrix }: CompiledPhase, output: AttemptOutput): Promise<void> {
  if (merge.strategy === "records") {
    await checkOutput("jsonl", streamOutput(output), { key: merge.key, dimensions: matrix });
  }
  if (merge.strategy === "array") await checkOutput("json", streamOutput(output));
  if (merge.strategy === "object") await checkOutput("object", streamOutput(output));
}

async function handOver(
  store: Store,
  task: AttemptTask,
  outcome: AttemptOutcome & { status: "succeeded" },
): Promise<Pick<HandedOver & { status: "succeeded" }, "status" | "result" | "durationMs"> | FailedHandOver> {
  const { durationMs } = outcome;
  if (outcome.artifacts.length > 0 && task.phase.shard !== null) {
    return { status: "failed", failure: EXTRA_ARTIFACTS_OF_SHARDS, durationMs };
  }
  const promised = task.phase.shard === null ? task.phase.provides.slice(1) : [];
  const missing = promised.filter((name) => !outcome.artifacts.some((found) => found.name === name));
  if (missing.length > 0) return { status: "failed", failure: notProvided(missing), durationMs };
  const output = await keepContent(store.artifacts, streamOutput(outcome.output));
  const artifacts: Record<string, Content> = {};
  for (const { name, file } of outcome.artifacts) {
    artifacts[name] = await keepContent(store.artifacts, createReadStream(file));
  }
  const collected: Record<string, Content> = {};
  for (const { name, file } of outcome.collected) {
    // never inline: many small files would make a large record
    collected[name] = await keepContent(store.artifacts, createReadStream(file), 0);
  }
  const meta = metaOf(task.phase, outcome);
  const result = {
    output,
    ...(outcome.artifacts.length > 0 ? { artifacts } : {}),
    ...(outcome.collected.length > 0 ? { collected } : {}),
    ...(Object.keys(meta).length > 0 ? { meta } : {}),
  };
  return { status: "succeeded", result, durationMs };
}

/** What the attempt said of its output and artifacts, by name. */
function metaOf(
  phase: CompiledPhase,
  { outputMeta, artifacts }: AttemptOutcome & { status: "succeeded" },
): Record<string, ArtifactMeta> {
  const told = [{ name: phase.provides[0] ?? phase.id, meta: outputMeta }, ...artifacts];
  return Object.fromEntries(told.flatMap(({ name, meta }) => (meta === undefined ? [] : [[name, meta]])));
}

type FailedHandOver = Pick<HandedOver & { status: "failed" }, "status" | "failure" | "durationMs">;

const EXTRA_ARTIFACTS_OF_SHARDS: Failure = {
  error_code: "NOT_SUPPORTED",
  why: "a sharded phase reported an extra artifact; only its merged output is kept",
  next_action: "put the data into the shard's records, or report the artifact from an unsharded phase",
};

function notProvided(names: readonly string[]): Failure {
  return {
    error_code: "ARTIFACT_MISSING",
    why: `the phase provides ${names.join(", ")}, and the attempt did not report it`,
    next_action: 'append {"type":"artifact","name":"…","path":"…"} to the file FANFOLD_EVENTS names',
  };
}

function streamOutput(output: AttemptOutput): AsyncIterable<Uint8Array> {
  return "file" in output ? createReadStream(output.file) : onePiece(output.bytes);
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
