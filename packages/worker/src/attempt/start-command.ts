import { AttemptError, describeError } from "./attempt-error.ts";
import { type StartedCommand, spawnFailure, startFailure } from "./command-failure.ts";
import type { CommandLine } from "./command-limits.ts";
import { type CommandProcess, startDirectly } from "./command-process.ts";
import { commandSpawner } from "./command-spawner.ts";
import { processGuard } from "../process-guard.ts";
import { ProcessGroup } from "./process-group.ts";
import type { RunningAttempt } from "./running-attempt.ts";

/** A command that is to be started. */
export interface CommandStart {
  readonly started: StartedCommand;
  readonly line: CommandLine;
  /** Stores a piece of stdout, masked. */
  readonly keep: (chunk: Uint8Array) => Promise<void>;
}

/**
 * Starts a command as the leader of its own process group, through the spawner if that can.
 *
 * @throws {AttemptError} when it was not started, or nobody knows whether it was
 */
export async function startCommand(attempt: RunningAttempt, start: CommandStart): Promise<CommandProcess> {
  const { cwd, env } = start.started;
  processGuard.open(attempt.id);
  const begun = await commandSpawner.start({ ...start.line, cwd, env });
  if (begun.kind === "started") return begun.process;
  if (begun.kind === "unsuited") return startUnderGuard(attempt, start);
  // the group of the shell is empty: what is looked for is the attempt's id
  const group = new ProcessGroup(begun.shellId, attempt.id);
  await group.terminate(attempt.spec.killGraceMs);
  group.release();
  throw lostCommand();
}

/** Starts it from this very process: what is wrong with it is then told by the system. */
export async function startUnderGuard(
  attempt: RunningAttempt,
  { started, line }: CommandStart,
): Promise<CommandProcess> {
  const { cwd, env } = started;
  processGuard.open(attempt.id);
  const begun = await startDirectly({ ...line, cwd, env }).catch((error: unknown) => {
    processGuard.close(attempt.id);
    throw startFailure(started, describeError(error));
  });
  if ("pid" in begun) return begun;
  processGuard.close(attempt.id);
  throw await spawnFailure(started, begun.code, begun.message);
}

/** Nobody can say how the command ended: the attempt counts as lost, as it would with the worker. */
export function lostCommand(): AttemptError {
  return new AttemptError("SPAWNER_LOST", "the shell that had started the command died, and the command was ended", {
    next_action:
      "look for who kills processes of the worker, such as the system for lack of memory; then: fanfold retry",
  });
}
