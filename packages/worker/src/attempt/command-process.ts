import { once } from "node:events";
import { execa } from "execa";

/** A stream of what a process writes. A piece is asked for when the one before is stored, so nothing piles up. */
export interface OutputSource extends AsyncIterable<Uint8Array> {
  /** Stops reading at once, and for good. */
  destroy(): void;
}

/** A program to start, with nothing left to be looked up but the program. */
export interface ProgramStart {
  /** Path of the program, or a name that is on the PATH of `env`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a process came to its end. */
export type ProcessEnd =
  | { readonly kind: "exited"; readonly exitCode: number | null; readonly signal: string | null }
  /** It never became the program: nothing of it has run, and nobody knows why. */
  | { readonly kind: "refused" }
  /** What started it is gone, and with it the way in which it ended; it may still run. */
  | { readonly kind: "lost" };

/** A started process, the leader of its process group. */
export interface CommandProcess {
  readonly pid: number;
  /** Session in which it was started, and no other process but the one that started it. */
  readonly sessionId: number;
  readonly stdout: OutputSource;
  readonly stderr: OutputSource;
  /** Resolves with its end; its output may take longer. Rejects when it could not be waited for. */
  readonly ended: Promise<ProcessEnd>;
}

/** Why a process could not be started. */
export interface StartFault {
  /** Error code of the system call; empty when there is none. */
  readonly code: string;
  readonly message: string;
}

/**
 * Starts a program from this very process. It costs a copy of the page tables of this process, which is a copy the
 * longer the more memory it holds.
 *
 * @throws what the arguments were refused with, before anything was tried
 */
export async function startDirectly({ program, args, cwd, env }: ProgramStart): Promise<CommandProcess | StartFault> {
  const child = execa(program, args, {
    cwd,
    env,
    extendEnv: false,
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
  });
  if (child.pid === undefined) {
    const failed = await child;
    return { code: failed.code ?? "", message: failed.originalMessage ?? "no reason given" };
  }
  const ended = once(child, "exit").then(([exitCode, signal]): ProcessEnd => ({ kind: "exited", exitCode, signal }));
  return { pid: child.pid, sessionId: child.pid, stdout: child.stdout, stderr: child.stderr, ended };
}
