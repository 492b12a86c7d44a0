import { randomBytes } from "node:crypto";
import { AttemptError, describeError, toAttemptError } from "./attempt-error.ts";
import { AttemptLog } from "./attempt-log.ts";
import { AttemptMasks } from "./attempt-masks.ts";
import { AttemptReports } from "./attempt-reports.ts";
import type { AttemptHooks, AttemptOutcome, AttemptOutput, AttemptSpec } from "./attempt-spec.ts";
import { AttemptStop } from "./attempt-stop.ts";
import { collect } from "./collect.ts";
import { refuseSecrets } from "./refuse-secrets.ts";
import { type ResolvedWork, resolveSecrets } from "./resolve-secrets.ts";
import { runCommand } from "./run-command.ts";
import { runHandler } from "./run-handler.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import { scratchFiles } from "./scratch-files.ts";

/**
 * Runs one attempt of one shard on this machine, to its end: secrets, command or handler, deadline, cancellation,
 * output. Never rejects: whatever goes wrong is the outcome's failure. When it resolves no process of the attempt's
 * group is left, and no hook is called any more.
 *
 * @param signal cancels the attempt when it is aborted; its reason, if it is an error of your own, is shown
 */
export async function runAttempt(
  spec: AttemptSpec,
  hooks: AttemptHooks,
  { signal }: { signal: AbortSignal },
): Promise<AttemptOutcome> {
  const startedAtMs = performance.now();
  const resolved = await resolveSecrets(spec).catch(toAttemptError);
  const masks = new AttemptMasks(resolved instanceof AttemptError ? new Map() : resolved.secrets);
  const durationMs = (): number => Math.round(performance.now() - startedAtMs);
  if (resolved instanceof AttemptError) return { ...unsuccessful(resolved, masks), durationMs: durationMs() };
  const attempt = beginAttempt(spec, { resolved, masks, hooks }, signal);
  const result = await runToEnd(attempt);
  const ended = result instanceof AttemptError ? unsuccessful(result, masks) : result;
  const { content: log } = attempt.log;
  return { ...ended, durationMs: durationMs(), ...(log === undefined ? {} : { log }) };
}

type AttemptResult =
  | Pick<
      Extract<AttemptOutcome, { status: "succeeded" }>,
      "status" | "output" | "outputMeta" | "artifacts" | "collected"
    >
  | Pick<Extract<AttemptOutcome, { status: "spawned" }>, "status" | "asked">;
type Unsuccessful = Pick<Extract<AttemptOutcome, { failure: unknown }>, "status" | "failure">;

interface AttemptStart {
  readonly resolved: ResolvedWork;
  readonly masks: AttemptMasks;
  readonly hooks: AttemptHooks;
}

function beginAttempt(
  spec: AttemptSpec,
  { resolved, masks, hooks }: AttemptStart,
  signal: AbortSignal,
): RunningAttempt {
  const files = scratchFiles(spec.scratchDir);
  const log = new AttemptLog(files.log, hooks, masks);
  const reports = new AttemptReports(spec, hooks, { log, masks });
  const stop = new AttemptStop(spec.timeoutMs, signal);
  let id: string | undefined;
  return {
    get id() {
      id ??= attemptId(spec);
      return id;
    },
    spec,
    ...resolved,
    masks,
    files,
    log,
    reports,
    stop,
    begin: () => {
      hooks.onBegin?.();
      if (stop.status !== null) throw stop.error();
    },
    clear: () => hooks.onClear?.(),
  };
}

/** Word of this process, which no other uses, and how many attempts it had. */
const OWN_WORD = randomBytes(8).toString("hex");
let attempts = 0;

/**
 * An id that says which attempt it is, and that no other deployment on this machine uses. No id is the beginning of
 * another one: its processes are looked for by it.
 */
function attemptId({ runId, phase, revision, shardIndex, attempt }: AttemptSpec): string {
  const place = `${runId}.${phase.id}.r${revision}.${shardIndex}.${attempt}`;
  attempts += 1;
  return `${place.replace(/[^A-Za-z0-9._-]/g, "_")}.${attempts}.${OWN_WORD}`;
}

async function runToEnd(attempt: RunningAttempt): Promise<AttemptResult | AttemptError> {
  const result = await carryOut(attempt).catch(toAttemptError);
  const closed = await endAttempt(attempt).catch(toAttemptError);
  return !(result instanceof AttemptError) && closed instanceof AttemptError ? closed : result;
}

async function endAttempt({ stop, log, reports }: RunningAttempt): Promise<void> {
  stop.dispose();
  reports.close();
  await log.close();
}

async function carryOut(attempt: RunningAttempt): Promise<AttemptResult> {
  const { spec, reports } = attempt;
  const output = await execute(attempt);
  if (reports.spawned.length > 0) return { status: "spawned", asked: reports.spawned };
  const artifacts = await reports.collectArtifacts();
  const collected = await collect(attempt);
  await refuseSecrets(attempt, output, [...artifacts, ...collected]);
  await checkOutput(spec, output);
  const { outputMeta } = reports;
  return { status: "succeeded", output, artifacts, collected, ...(outputMeta === undefined ? {} : { outputMeta }) };
}

function execute(attempt: RunningAttempt): Promise<AttemptOutput> {
  const { work } = attempt;
  switch (work.kind) {
    case "command":
      return runCommand(attempt, work);
    case "handler":
      return runHandler(attempt, work.handler);
    case "approval":
      throw new Error("an approval has no attempts: a person gives it");
  }
}

async function checkOutput(spec: AttemptSpec, output: AttemptOutput): Promise<void> {
  try {
    await spec.checkOutput?.(output);
  } catch (error) {
    if (error instanceof AttemptError) throw error;
    throw new AttemptError("INVALID_OUTPUT", error instanceof Error ? error.message : describeError(error), {
      next_action: `correct what the shard writes, or the merge of phase ${spec.phase.id}`,
    });
  }
}

function unsuccessful(error: AttemptError, masks: AttemptMasks): Unsuccessful {
  const failure = error.toFailure(masks.text);
  if (error.code === "TIMED_OUT") return { status: "timed_out", failure };
  if (error.code === "CANCELLED") return { status: "cancelled", failure };
  return { status: "failed", failure };
}
