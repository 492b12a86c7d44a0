import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../shell/process-guard.sh", import.meta.url));

/**
 * A small process that ends the commands of this worker when the worker dies, also by SIGKILL.
 *
 * 1. It is started with the first command, in a session of its own, and holds nothing of the worker but one end of a
 *    pipe. It ends when the worker does.
 * 2. It knows of an attempt before its command is started: what the worker writes is in the pipe when `open` returns.
 * 3. When it ends by itself, the next command starts another one, which is told of all open attempts.
 * 4. Trouble with it never fails an attempt.
 */
class ProcessGuard {
  readonly #open = new Map<string, string>();
  #child: ChildProcess | undefined;

  /** Says that an attempt is about to start a command. */
  open(attemptId: string): void {
    if (this.#child === undefined) this.#start();
    this.#open.set(attemptId, `+ ${attemptId}\n`);
    this.#write(`+ ${attemptId}\n`);
  }

  /** Says which process group the command of an attempt leads, and when the leader started, if that is known. */
  lead(attemptId: string, groupId: number, startedAt: string | undefined): void {
    const line = `= ${attemptId} ${groupId} ${startedAt ?? "-"}\n`;
    this.#open.set(attemptId, line);
    this.#write(line);
  }

  /** Says that nothing of an attempt is left to end. */
  close(attemptId: string): void {
    this.#open.delete(attemptId);
    this.#write(`- ${attemptId}\n`);
  }

  #start(): void {
    const child = spawn("/bin/sh", [SCRIPT], {
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once("error", forget);
    child.once("exit", forget);
    child.stdin.on("error", forget);
    child.unref();
    if ("unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
    this.#child = child;
    for (const line of this.#open.values()) this.#write(line);
  }

  #write(line: string): void {
    this.#child?.stdin?.write(line);
  }
}

/** The guard of this process. */
export const processGuard: Pick<ProcessGuard, "open" | "lead" | "close"> = new ProcessGuard();
