import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { AttemptError } from "./attempt-error.ts";
import type { AttemptOutput, AttemptSpec, OutputStream } from "./attempt-spec.ts";
import { commandEnv } from "./command-env.ts";
import { type CommandLine, unknownLimits, withLimits } from "./command-limits.ts";
import { describeTails, exitFailure, spawnFailure, type StartedCommand } from "./command-failure.ts";
import type { CommandProcess, OutputSource, ProcessEnd } from "./command-process.ts";
import { findPlace, findWorkingDirectory } from "./command-place.ts";
import { CommandReports } from "./command-reports.ts";
import { EventFile } from "./event-file.ts";
import { readFinalLine } from "./final-line.ts";
import { findFault, findProgram } from "./find-program.ts";
import { KeptOutput } from "./kept-output.ts";
import type { MaskedOutput, OutputMask } from "./output-mask.ts";
import { OutputPump } from "./output-pump.ts";
import { OutputTail } from "./output-tail.ts";
import { countKills, type GroupEnding, ProcessGroup } from "./process-group.ts";
import type { RunningAttempt } from "./running-attempt.ts";
import { settlesWithin } from "./settles-within.ts";
import { type CommandStart, lostCommand, startCommand, startUnderGuard } from "./start-command.ts";
import { mayHaveStrays } from "./stray-processes.ts";

/** How long processes a command leaves behind may go on, and how long its streams may stay open, in ms. */
const LEFTOVER_WAIT_MS = 500;

/** Why nothing more is waited for: where no reason is given, an error is made, with its stack. */
const OVER = "over";

const GROUP_ENDINGS: Readonly<Record<GroupEnding, string>> = {
  gone: "it was already gone",
  SIGTERM: "ended with SIGTERM",
  SIGKILL: "did not end on SIGTERM, ended with SIGKILL",
  survived: "a process survives even SIGKILL",
};

/** The way the command's own process came to its end. */
type CommandEnding = ProcessEnd | { readonly kind: "stopped" } | { readonly kind: "broken"; readonly error: unknown };

type Work = Extract<AttemptSpec["phase"]["work"], { kind: "command" }>;

/** A started command with everything that listens to it. */
interface CommandRun {
  readonly attempt: RunningAttempt;
  readonly child: CommandProcess;
  readonly startedAtMs: number;
  readonly group: ProcessGroup;
  readonly exited: Promise<CommandEnding>;
  readonly pumps: readonly OutputPump[];
  readonly masks: Readonly<Record<OutputStream, OutputMask>>;
  readonly tails: Readonly<Record<OutputStream, OutputTail>>;
  readonly reports: CommandReports;
  /** Reads FANFOLD_EVENTS until `endEvents` is aborted. */
  readonly events: Promise<void>;
  readonly endEvents: AbortController;
}

/**
 * Runs the command of an attempt to its end; when this settles, no process of its group is left.
 *
 * The output is the file FANFOLD_OUTPUT if the command made it, even an empty one (zero records); otherwise a file
 * reported as an artifact under the name of the output; otherwise stdout.
 *
 * @throws {AttemptError} when the command did not succeed, also when it was stopped
 */
export async function runCommand(attempt: RunningAttempt, work: Work): Promise<AttemptOutput> {
  const { spec, files } = attempt;
  const { cwd, program, inherited } = await findPlace(spec, work);
  // at once: small files of the worker's own, for which a thread of the pool takes longer than the system does
  mkdirSync(spec.scratchDir, { recursive: true });
  closeSync(openSync(files.events, "a"));
  await writePrompt(attempt);
  const stdout = new KeptOutput(files.stdout);
  try {
    const started = { command: work.command, cwd, env: commandEnv(attempt, inherited), phase: spec.phase.id };
    const line = await limitedLine(attempt, started, { work, permitted: program });
    attempt.begin();
    const run = await carryOut(attempt, { started, line, keep: stdout.keep });
    return await findOutput(run, stdout);
  } finally {
    await stdout.close();
  }
}

async function writePrompt({ spec: { prompt }, files }: RunningAttempt): Promise<void> {
  if (prompt === undefined) return;
  await writeFile(files.prompt, prompt.text);
  await writeFile(files.originalPrompt, prompt.original, { mode: 0o444 });
}

/** The command line of the work, under the limits of its phase. */
async function limitedLine(
  { spec, log }: RunningAttempt,
  started: StartedCommand,
  { work, permitted }: { work: Work; permitted: string },
): Promise<CommandLine> {
  const { limits } = spec.phase;
  const args = work.shell ? ["-c", [work.command, ...work.args].join(" ")] : work.args;
  if (limits === undefined) return { program: permitted, args };
  for (const field of unknownLimits(limits, process.platform)) {
    log.note(`limits.${field} has no effect on ${process.platform}`);
  }
  // found here, because the shell that sets the limits would only tell of a missing program in its own words
  const program = await findProgram(permitted, started.cwd, started.env["PATH"] ?? "");
  const fault = program === undefined ? "ENOENT" : await findFault(program);
  if (program === undefined || fault !== undefined) throw await spawnFailure(started, fault ?? "ENOENT", "");
  return withLimits({ program, args }, limits);
}

/** Runs the command to its end. */
async function carryOut(attempt: RunningAttempt, start: CommandStart): Promise<CommandRun> {
  const kills = countKills();
  const run = listenTo(attempt, start, await startCommand(attempt, start));
  if (countKills() > kills) run.group.signal("SIGKILL");
  const ending = await finishCommand(run);
  if (ending.kind !== "refused") return run;
  // nothing of it has run: the system itself says why, or starts it after all
  await findWorkingDirectory(attempt.spec);
  const direct = listenTo(attempt, start, await startUnderGuard(attempt, start));
  await finishCommand(direct);
  return direct;
}

function listenTo(attempt: RunningAttempt, { keep }: CommandStart, child: CommandProcess): CommandRun {
  const group = new ProcessGroup(child.pid, attempt.id);
  const startedAtMs = performance.now();
  const exited = child.ended.catch((error: unknown): CommandEnding => ({ kind: "broken", error }));
  const tails = { stdout: new OutputTail(), stderr: new OutputTail() };
  const masks = { stdout: attempt.masks.output(), stderr: attempt.masks.output() };
  const pump = (stream: OutputSource, name: OutputStream): OutputPump => {
    const take = async ({ kept, shown }: MaskedOutput): Promise<void> => {
      if (kept.byteLength === 0 && shown.byteLength === 0) return;
      tails[name].add(shown);
      await Promise.all([attempt.log.append(shown, name), name === "stdout" ? keep(kept) : undefined]);
    };
    return new OutputPump(stream, {
      store: (chunk) => take(masks[name].push(chunk)),
      end: () => take(masks[name].end()),
    });
  };
  const pumps = [pump(child.stdout, "stdout"), pump(child.stderr, "stderr")];
  const reports = new CommandReports(attempt.reports, attempt.log);
  const endEvents = new AbortController();
  const events = new EventFile(attempt.files.events, reports.take).follow({ signal: endEvents.signal });
  return { attempt, child, startedAtMs, group, exited, pumps, masks, tails, reports, events, endEvents };
}

/**
 * Waits for the end of the command, clears up behind it, and throws when it was not a success.
 *
 * @returns `refused` when it never became the command
 */
async function finishCommand(run: CommandRun): Promise<CommandEnding> {
  const { attempt, group, exited, pumps, events, endEvents } = run;
  const ending = await Promise.race([
    exited,
    attempt.stop.stopped.then((): CommandEnding => ({ kind: "stopped" })),
    firstError([events, ...pumps.map(({ ended }) => ended)]),
  ]);
  let groupEnding: GroupEnding = "gone";
  let leftNothing = false;
  if (ending.kind === "exited" || ending.kind === "refused") leftNothing = await clearLeftovers(run);
  else groupEnding = await group.terminate(attempt.spec.killGraceMs);
  group.release();
  const finished = await Promise.allSettled(pumps.map((pump) => pump.finish(LEFTOVER_WAIT_MS)));
  if (finished.some((pump) => pump.status === "fulfilled" && !pump.value)) {
    attempt.log.note("a process that left the command's process group held its output open; it is not read further");
  }
  if (leftNothing && isAllOver(run, finished)) attempt.clear();
  endEvents.abort(OVER);
  const work = [...finished, ...(await Promise.allSettled([events]))];
  throwIfNotSucceeded(run, ending, groupEnding);
  for (const part of work) if (part.status === "rejected") throw part.reason;
  run.reports.throwFirstError();
  return ending;
}

/** Whether nobody is left of a command whose group is gone: nobody has its output open, or left the group. */
function isAllOver({ child, startedAtMs }: CommandRun, pumps: readonly PromiseSettledResult<boolean>[]): boolean {
  const areClosed = pumps.every((pump) => pump.status === "fulfilled" && pump.value);
  return areClosed && !mayHaveStrays(child.pid, child.sessionId, performance.now() - startedAtMs);
}

/** Ends the processes a command that has exited left behind in its group. @returns whether there were none */
async function clearLeftovers({ attempt, group, pumps }: CommandRun): Promise<boolean> {
  const haveEnded = await settlesWithin(Promise.all(pumps.map(({ ended }) => ended)), LEFTOVER_WAIT_MS);
  if (await group.endsWithin(haveEnded ? LEFTOVER_WAIT_MS : 0)) return true;
  const ending = await group.terminate(attempt.spec.killGraceMs);
  attempt.log.note(`the command exited and left processes in the background; ${GROUP_ENDINGS[ending]}`);
  return false;
}

function throwIfNotSucceeded(run: CommandRun, ending: CommandEnding, groupEnding: GroupEnding): void {
  switch (ending.kind) {
    case "stopped":
      throw run.attempt.stop.error(`${GROUP_ENDINGS[groupEnding]}${describeTails(run.tails)}`, run.group.survivors);
    case "broken":
      throw ending.error;
    case "lost":
      throw lostCommand();
    case "refused":
      return;
    case "exited":
      if (ending.exitCode !== 0) throw exitFailure(ending, run.tails, run.attempt.spec.phase.limits);
  }
}

/** Resolves with the first failure of any of them, and never otherwise. */
function firstError(work: readonly Promise<void>[]): Promise<CommandEnding> {
  return new Promise((resolve) => {
    for (const part of work) part.catch((error: unknown) => resolve({ kind: "broken", error }));
  });
}

async function findOutput({ attempt, masks }: CommandRun, stdout: KeptOutput): Promise<AttemptOutput> {
  const { spec, files, log, reports } = attempt;
  const written = statSync(files.output, { throwIfNoEntry: false });
  const reported = reports.outputFile;
  if (written === undefined) {
    if (reported !== undefined) return { file: reported };
    if (masks.stdout.hasMasked) log.note("stdout is the output of this phase, and secrets in it were masked");
    if (spec.phase.collect?.stdout_final === true) return { bytes: await readFinalLine(await stdout.inFile()) };
    return stdout.output();
  }
  if (!written.isFile()) {
    throw new AttemptError("INVALID_OUTPUT", "FANFOLD_OUTPUT is not a regular file", {
      next_action: "write the output into the file that FANFOLD_OUTPUT names",
    });
  }
  if (reported !== undefined) throw reports.outputConflict("FANFOLD_OUTPUT was written as well");
  if (written.size === 0 && stdout.sizeBytes > 0) {
    log.note("FANFOLD_OUTPUT was made and left empty, so the output is empty; stdout is kept in the log only");
  }
  return { file: files.output };
}
