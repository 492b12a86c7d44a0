import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { CommandProcess, ProcessEnd } from "./command-process.ts";
import { beginsWith, FifoStream, openFifo, type OpenFifo } from "./fifo-stream.ts";
import { shellScript } from "../shell-script.ts";
import { settlesWithin } from "./settles-within.ts";

const SCRIPT = shellScript("command-spawner.sh");
const FLAGS = ["--norc", "--noprofile", "-p", "-c"];
/** How long the output of a command waits to be read when the command goes on, in ms. */
const PATIENCE_MS = 5;
/** Longest time the word of a command that was refused takes to be read, in ms. */
const REFUSAL_WAIT_MS = 1_000;
/** Names by number; the usual one where there are two. */
const SIGNALS: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** A command on its way, or at work. */
interface Task {
  tellPid(pid: number | undefined): void;
  tellExit(end: ProcessEnd): void;
  /** What the shell said of it last. */
  job: string;
}

/**
 * One shell that starts commands for this process (see shell/command-spawner.sh), one at a time. Starting a process
 * from it costs the same however much memory this one holds.
 *
 * 1. A command's output comes through FIFOs that the shell made. A command that leaves a process behind which holds one
 *    open is the shell's last: no other command's output is to get mixed with it.
 * 2. Requests are in memory only, for they hold secrets.
 * 3. It keeps this process from ending while a command runs, and at no other time.
 */
export class SpawnerShell {
  /** Whether it can be used; false as well when it was not to be started. */
  readonly isReady: Promise<boolean>;
  readonly #script = readFileSync(SCRIPT, "utf8");
  readonly #token = randomBytes(16).toString("hex");
  readonly #dir = mkdtempSync(join(tmpdir(), "fanfold-commands-"));
  readonly #child = this.#start();
  #tellReady: (isReady: boolean) => void = () => undefined;
  #rest = "";
  #task: Task | undefined;
  #fifos: { stdout: OpenFifo; stderr: OpenFifo } | undefined;
  #isOver = false;

  constructor() {
    this.isReady = new Promise((tell) => {
      this.#tellReady = tell;
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    this.#child.stdout.on("error", () => undefined);
    this.#child.stdin.on("error", () => undefined);
    void this.#child.then(() => this.#end());
  }

  /** Process id of the shell; undefined when it was not to be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it takes another command. */
  get isIdle(): boolean {
    return !this.#isOver && this.#task === undefined;
  }

  /**
   * Starts a command.
   *
   * @returns undefined when the shell died over it; whether the command was started is not known then
   */
  async run(request: Buffer, onFree: () => void): Promise<CommandProcess | undefined> {
    const fifos = this.#fifos;
    if (fifos === undefined || !this.isIdle) throw new Error("the shell does not take a command");
    this.#keepAlive(true);
    const { pid, exited } = this.#begin();
    this.#child.stdin.write(request);
    const startedPid = await pid;
    if (startedPid === undefined) {
      this.#closeFifos();
      return undefined;
    }
    const isWorthALook = settlesWithin(exited, PATIENCE_MS);
    const stdout = new FifoStream(fifos.stdout, { isWorthALook, mark: "" });
    const stderr = new FifoStream(fifos.stderr, { isWorthALook, mark: this.#token });
    void this.#clear([exited, stdout.settled, stderr.settled], onFree);
    return {
      pid: startedPid,
      sessionId: this.#child.pid ?? startedPid,
      stdout,
      stderr,
      ended: this.#judge(exited, stderr),
    };
  }

  #begin(): { pid: Promise<number | undefined>; exited: Promise<ProcessEnd> } {
    const task: Task = { tellPid: () => undefined, tellExit: () => undefined, job: "" };
    this.#task = task;
    return {
      pid: new Promise((tell) => {
        task.tellPid = tell;
      }),
      exited: new Promise((tell) => {
        task.tellExit = tell;
      }),
    };
  }

  /** Lets it end when its command has. */
  close(): void {
    this.#child.stdin.end();
  }

  #start() {
    return execa("bash", [...FLAGS, this.#script, this.#token, this.#dir], {
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      extendEnv: false,
      detached: true,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "ignore",
      buffer: false,
      reject: false,
    });
  }

  /** An exit code with which a shell says that it found no program, tells nothing before the shell's own word is read. */
  async #judge(exited: Promise<ProcessEnd>, stderr: FifoStream): Promise<ProcessEnd> {
    const end = await exited;
    if (end.kind !== "exited" || (end.exitCode !== 126 && end.exitCode !== 127)) return end;
    const timeout = new AbortController();
    const waited = sleep(REFUSAL_WAIT_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
    const first = await Promise.race([stderr.first, waited]);
    timeout.abort();
    const isRefused = first !== undefined && beginsWith(first, this.#token);
    return isRefused ? { kind: "refused" } : end;
  }

  /** Waits until nothing is left of a command. */
  async #clear(parts: [Promise<ProcessEnd>, Promise<boolean>, Promise<boolean>], onFree: () => void): Promise<void> {
    const [end, ...isClean] = await Promise.all(parts);
    this.#task = undefined;
    this.#keepAlive(false);
    if (end.kind === "exited" && isClean.every(Boolean) && !this.#isOver) return onFree();
    this.close();
    this.#closeFifos();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#takeLine(line);
  }

  #takeLine(line: string): void {
    if (line === "ready") this.#openFifos();
    else if (line.startsWith("p ")) this.#task?.tellPid(Number(line.slice(2)));
    else if (line.startsWith("x ")) this.#task?.tellExit(exitOf(Number(line.slice(2)), this.#task.job));
    else if (this.#task !== undefined) this.#task.job = line;
  }

  #openFifos(): void {
    const open = (name: string): OpenFifo => {
      const path = join(this.#dir, name);
      return { path, fd: openFifo(path) };
    };
    try {
      this.#fifos = { stdout: open("out"), stderr: open("err") };
      this.#keepAlive(false);
      this.#tellReady(true);
    } catch {
      // too many open files, for example: it ends, and says so that it cannot be used
      this.close();
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#tellReady(false);
    rmSync(this.#dir, { recursive: true, force: true });
    this.#task?.tellPid(undefined);
    this.#task?.tellExit({ kind: "lost" });
    if (this.#task === undefined) this.#closeFifos();
  }

  #closeFifos(): void {
    if (this.#fifos === undefined) return;
    closeSync(this.#fifos.stdout.fd);
    closeSync(this.#fifos.stderr.fd);
    this.#fifos = undefined;
  }

  #keepAlive(isBusy: boolean): void {
    for (const handle of [this.#child, this.#child.stdin, this.#child.stdout]) {
      if (!isReferable(handle)) continue;
      if (isBusy) handle.ref();
      else handle.unref();
    }
  }
}

function isReferable(handle: object): handle is { ref(): void; unref(): void } {
  return "ref" in handle && typeof handle.ref === "function";
}

/** A shell gives 128 and its number for a signal, and cannot be told from such an exit code by that alone. */
function exitOf(status: number, job: string): ProcessEnd {
  const signal = status > 128 && !/^\[\d+\][-+ ]+Exit \d+ /.test(job) ? SIGNALS.get(status - 128) : undefined;
  if (signal !== undefined) return { kind: "exited", exitCode: null, signal };
  return { kind: "exited", exitCode: status, signal: null };
}
