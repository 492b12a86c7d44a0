import { readFile } from "node:fs/promises";
import { AttemptError, describeError } from "./attempt-error.ts";
import type { AttemptOutput, AttemptSpec } from "./attempt-spec.ts";
import type { Handler, HandlerRecord } from "./define-handler.ts";
import { buildHandlerContext } from "./handler-context.ts";
import { storeHandlerOutput } from "./handler-output.ts";
import { loadHandler } from "./load-handler.ts";
import { parseRecords, readRecords } from "./read-records.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import { settlesWithin } from "./settles-within.ts";

/**
 * Runs the handler of an attempt inside this process. A handler that goes on after its signal and the grace is left
 * alone: nothing it does then has an effect on the attempt.
 *
 * @throws {AttemptError} when the handler did not succeed, also when it was stopped
 */
export async function runHandler(attempt: RunningAttempt, handlerPath: string): Promise<AttemptOutput> {
  const { spec, stop, log } = attempt;
  const work = execute(attempt, handlerPath);
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([settled, stop.stopped]);
  if (stop.status === null) return await work;
  const hasEnded = await settlesWithin(work, spec.killGraceMs);
  if (!hasEnded) log.note("the handler went on after its signal and the grace; what it does now has no effect");
  throw stop.error(hasEnded ? "" : "the handler did not end on its signal and was left alone");
}

async function execute(attempt: RunningAttempt, handlerPath: string): Promise<AttemptOutput> {
  const { spec } = attempt;
  const handler = await findHandler(spec, handlerPath);
  const items = await readItems(spec);
  const previousFile = spec.iteration?.previousFile ?? null;
  const previous = previousFile === null ? undefined : await readFile(previousFile, "utf8");
  try {
    return await callHandler(attempt, handler, { items, previous });
  } catch (error) {
    if (error instanceof AttemptError) throw error;
    if (error instanceof Error && error.stack !== undefined) attempt.log.line(error.stack);
    throw new AttemptError("HANDLER_ERROR", describeError(error), {
      next_action: "the stack of the error is in the log of the attempt: fanfold logs",
    });
  }
}

/** The handler of an attempt; within a block its file is looked at once. */
function findHandler(spec: AttemptSpec, handlerPath: string): Promise<Handler<unknown>> {
  const known = spec.handlers?.get(handlerPath);
  if (known !== undefined) return known;
  const loading = loadHandler(spec, handlerPath);
  spec.handlers?.set(handlerPath, loading);
  return loading;
}

async function readItems({ inputFile, inputText }: AttemptSpec): Promise<HandlerRecord[]> {
  if (inputText !== undefined) return parseRecords(inputText, INPUT);
  return inputFile === null ? [] : readRecords(inputFile, INPUT);
}

const INPUT = "the shard's input";

async function callHandler(
  attempt: RunningAttempt,
  handler: Handler<unknown>,
  inputs: Parameters<typeof buildHandlerContext>[1],
): Promise<AttemptOutput> {
  const { spec, files, stop, reports } = attempt;
  const { ctx, settleArtifacts } = buildHandlerContext(attempt, inputs);
  attempt.begin();
  const value = await callAndSettle(() => handler(ctx), settleArtifacts);
  const target = { merge: spec.phase.merge.strategy, file: files.output, signal: stop.signal };
  const reported = reports.outputFile;
  if (reported === undefined) return await storeHandlerOutput(value, target);
  if (value !== undefined) throw reports.outputConflict("the handler returned a value as well");
  return { file: reported };
}

/** What `call` gives, once the rest has settled too; a failure of the call comes before a failure of the rest. */
async function callAndSettle(call: () => unknown, settle: () => Promise<void>): Promise<unknown> {
  let value: unknown;
  try {
    value = await call();
  } catch (error) {
    await settle().catch(() => undefined);
    throw error;
  }
  await settle();
  return value;
}
