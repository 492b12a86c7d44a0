import type { CommandProcess, ProgramStart } from "./command-process.ts";
import { spawnerRequest } from "./spawner-request.ts";
import { SpawnerShell } from "./spawner-shell.ts";
import { findStartable } from "./startable-program.ts";

/** What came of the start of a command by the spawner. */
export type SpawnerStart =
  | { readonly kind: "started"; readonly process: CommandProcess }
  /** It is not for the spawner: nothing was tried. */
  | { readonly kind: "unsuited" }
  /** The shell died over it. @property shellId process id the shell had */
  | { readonly kind: "lost"; readonly shellId: number };

/**
 * Starts the commands of this process by way of small shells, as many as commands run at once: a process with much
 * memory takes long to fork, and a shell does not. They are started when they are needed first, and end with this
 * process.
 */
class CommandSpawner {
  readonly #idle = new Set<SpawnerShell>();
  /** How many more shells may fail to start; none elsewhere, where a start copies nothing of this process. */
  #chances = process.platform === "linux" ? 3 : 0;

  /** Starts a program, where that can be done exactly as it is asked for. */
  async start(start: ProgramStart): Promise<SpawnerStart> {
    const program = this.#chances > 0 ? findStartable(start) : undefined;
    const request = program === undefined ? undefined : spawnerRequest({ ...start, program });
    const shell = request === undefined ? undefined : await this.#takeShell();
    if (request === undefined || shell === undefined) return { kind: "unsuited" };
    const process = await shell.run(request, () => this.#idle.add(shell));
    return process === undefined ? { kind: "lost", shellId: shell.pid ?? 0 } : { kind: "started", process };
  }

  async #takeShell(): Promise<SpawnerShell | undefined> {
    for (const shell of this.#idle) {
      this.#idle.delete(shell);
      if (shell.isIdle) return shell;
    }
    try {
      const shell = new SpawnerShell();
      if (await shell.isReady) return shell;
    } catch {
      // no room for its directory, for example
    }
    // no bash, one that is too old, no mkfifo: that is so the next time, too; too many processes may pass
    this.#chances -= 1;
    return undefined;
  }
}

/** The spawner of this process. */
export const commandSpawner: Pick<CommandSpawner, "start"> = new CommandSpawner();
