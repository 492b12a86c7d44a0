import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shellScript } from "./shell-script.ts";

const SCRIPT = shellScript("process-guard.sh");
/** Length of a line of the table, in bytes; the longest id of an attempt leaves room for the rest. */
const LINE_BYTES = 1_024;

/** An attempt in the table. */
interface Entry {
  readonly line: number;
  readonly text: string;
}

/**
 * A small process that ends the commands of this worker when the worker dies, also by SIGKILL.
 *
 * 1. It is started with the first command, in a session of its own, and holds nothing of the worker but one end of a
 *    pipe. It ends when the worker does.
 * 2. It knows of an attempt before its command is started. What it knows is a table in a file without a name, which it
 *    reads when the worker is gone: until then it costs nothing.
 * 3. When it ends by itself, the next command starts another one, with the same table.
 * 4. Trouble with it never fails an attempt.
 */
class ProcessGuard {
  readonly #entries = new Map<string, Entry>();
  readonly #freeLines: number[] = [];
  #lines = 0;
  #table: number | undefined;
  #child: ChildProcess | undefined;

  /** Says that an attempt is about to start a command; saying it again changes nothing. */
  open(attemptId: string): void {
    if (this.#child === undefined) this.#start();
    if (!this.#entries.has(attemptId)) this.#write(attemptId, `${attemptId} - -`);
  }

  /** Says which process group the command of an attempt leads, and when the leader started, if that is known. */
  lead(attemptId: string, groupId: number, startedAt: string | undefined): void {
    this.#write(attemptId, `${attemptId} ${groupId} ${startedAt ?? "-"}`);
  }

  /** Says that nothing of an attempt is left to end. */
  close(attemptId: string): void {
    const entry = this.#entries.get(attemptId);
    if (entry === undefined) return;
    this.#entries.delete(attemptId);
    this.#freeLines.push(entry.line);
    this.#put({ line: entry.line, text: "" });
  }

  #start(): void {
    try {
      this.#table ??= openNameless();
    } catch {
      return;
    }
    const child = spawn("/bin/sh", [SCRIPT], {
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      detached: true,
      stdio: ["pipe", "ignore", "ignore", this.#table],
    });
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once("error", forget);
    child.once("exit", forget);
    child.stdin?.on("error", forget);
    child.unref();
    if (child.stdin !== null && "unref" in child.stdin && typeof child.stdin.unref === "function") child.stdin.unref();
    this.#child = child;
  }

  #write(attemptId: string, text: string): void {
    const line = this.#entries.get(attemptId)?.line ?? this.#freeLines.pop() ?? this.#lines++;
    const entry = { line, text };
    this.#entries.set(attemptId, entry);
    this.#put(entry);
  }

  #put({ line, text }: Entry): void {
    if (this.#table === undefined) return;
    try {
      writeSync(this.#table, `${text.padEnd(LINE_BYTES - 1)}\n`, line * LINE_BYTES);
    } catch {
      // no room on the disk: nothing the attempt could do
    }
  }
}

/** A file that is gone when nobody has it open any more. */
function openNameless(): number {
  const path = join(tmpdir(), `fanfold-guard-${randomBytes(8).toString("hex")}`);
  const fd = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return fd;
}

/** The guard of this process. */
export const processGuard: Pick<ProcessGuard, "open" | "lead" | "close"> = new ProcessGuard();
