import { AttemptError, describeError, toAttemptError } from "./attempt-error.ts";
import { AttemptLog } from "./attempt-log.ts";
import { AttemptReports } from "./attempt-reports.ts";
import type { AttemptHooks, AttemptOutcome, AttemptOutput, AttemptSpec } from "./attempt-spec.ts";
import { AttemptStop } from "./attempt-stop.ts";
import { runCommand } from "./run-command.ts";
import { runHandler } from "./run-handler.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import { scratchFiles } from "./scratch-files.ts";

/**
 * Runs one attempt of one shard on this machine, to its end: command or handler, deadline, cancellation, output.
 * Never rejects: whatever goes wrong is the outcome's failure. When it resolves no process of the attempt's group is
 * left, and no hook is called any more.
 *
 * @param signal cancels the attempt when it is aborted; its reason, if it is an error of your own, is shown
 */
export async function runAttempt(
  spec: AttemptSpec,
  hooks: AttemptHooks,
  { signal }: { signal: AbortSignal },
): Promise<AttemptOutcome> {
  const startedAtMs = performance.now();
  const attempt = beginAttempt(spec, hooks, signal);
  const result = await carryOut(attempt).catch(toAttemptError);
  const closed = await endAttempt(attempt).catch(toAttemptError);
  const durationMs = Math.round(performance.now() - startedAtMs);
  if (result instanceof AttemptError) return failedOutcome(result, durationMs);
  if (closed instanceof AttemptError) return failedOutcome(closed, durationMs);
  return { status: "succeeded", ...result, durationMs };
}

type AttemptResult = Pick<Extract<AttemptOutcome, { status: "succeeded" }>, "output" | "artifacts">;

function beginAttempt(spec: AttemptSpec, hooks: AttemptHooks, signal: AbortSignal): RunningAttempt {
  const files = scratchFiles(spec.scratchDir);
  const log = new AttemptLog(files.log, hooks);
  const reports = new AttemptReports(spec, hooks, log);
  return { spec, files, log, reports, stop: new AttemptStop(spec.timeoutMs, signal) };
}

async function endAttempt({ stop, log, reports }: RunningAttempt): Promise<void> {
  stop.dispose();
  reports.close();
  await log.close();
}

async function carryOut(attempt: RunningAttempt): Promise<AttemptResult> {
  const { spec, reports } = attempt;
  const { work } = spec.phase;
  const output = work.kind === "command" ? await runCommand(attempt, work) : await runHandler(attempt, work.handler);
  const artifacts = await reports.collectArtifacts();
  await checkOutput(spec, output);
  return { output, artifacts };
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

function failedOutcome(error: AttemptError, durationMs: number): AttemptOutcome {
  const failure = error.toFailure();
  if (error.code === "TIMED_OUT") return { status: "timed_out", failure, durationMs };
  if (error.code === "CANCELLED") return { status: "cancelled", failure, durationMs };
  return { status: "failed", failure, durationMs };
}
