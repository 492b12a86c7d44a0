import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../cli/bin/fanfold.js", import.meta.url));
/** What a process gets of the test's own environment: nothing of it may steer the product. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "FANFOLD_REDIS_SERVER"];
/** Longest wait for an output or an end when the caller gives none, in ms. */
const WAIT_MS = 25_000;
/** End of the output that an error message shows, in characters. */
const SHOWN_CHARS = 2_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Where and how a process runs. */
export interface CliOptions {
  readonly cwd: string;
  /** Its environment, besides PATH, HOME and TMPDIR; nothing else is passed on. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How long to wait. */
export interface WaitOptions {
  readonly timeoutMs?: number;
}

/** What is left of a process that has ended. */
export interface CliExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From its start to its end, in ms. */
  readonly durationMs: number;
}

/**
 * A process a test started: the `fanfold` command, or a script. Everything it writes is kept. It is killed when the
 * test's own process exits.
 */
export class CliProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #changes = new EventEmitter();
  readonly #startedAtMs = performance.now();
  #stdout = "";
  #stderr = "";
  #exit: CliExit | undefined;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.#name = name;
    running.add(child);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take({ stdout: text }));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#take({ stderr: text }));
    child.once("error", (error) => this.#take({ stderr: `${String(error)}\n` }));
    child.once("close", (code, signal) => this.#end(code, signal));
  }

  /** Starts the built `fanfold` command. */
  static start(args: readonly string[], options: CliOptions): CliProcess {
    return CliProcess.spawn([BIN, ...args], options, `fanfold ${args.join(" ")}`);
  }

  /** Starts Node on a script. */
  static spawn(args: readonly string[], { cwd, env = {} }: CliOptions, name = `node ${args.join(" ")}`): CliProcess {
    const inherited = INHERITED.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]]));
    const child = spawn(process.execPath, [...args], {
      cwd,
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new CliProcess(child, name);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} did not start: ${this.#stderr}`);
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get hasEnded(): boolean {
    return this.#exit !== undefined;
  }

  /** Sends a signal; harmless when the process has ended. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until standard output or standard error matches. @throws when the process ends first, or the time is up */
  async printed(pattern: RegExp, options: WaitOptions = {}): Promise<RegExpExecArray> {
    return this.#until(`print ${String(pattern)}`, options, () => {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr) ?? undefined;
      if (match === undefined && this.#exit !== undefined) throw this.#trouble(`ended and did not print ${pattern}`);
      return match;
    });
  }

  /** Waits for the process's end and that of its output. @throws when the time is up */
  async ended(options: WaitOptions = {}): Promise<CliExit> {
    return this.#until("end", options, () => this.#exit);
  }

  #take({ stdout = "", stderr = "" }: { stdout?: string; stderr?: string }): void {
    this.#stdout += stdout;
    this.#stderr += stderr;
    this.#changes.emit("change");
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    running.delete(this.#child);
    const durationMs = performance.now() - this.#startedAtMs;
    this.#exit = { code, signal, stdout: this.#stdout, stderr: this.#stderr, durationMs };
    this.#changes.emit("change");
  }

  async #until<T>(what: string, { timeoutMs = WAIT_MS }: WaitOptions, check: () => T | undefined): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const value = check();
      if (value !== undefined) return value;
      if (signal.aborted) throw this.#trouble(`did not ${what} within ${timeoutMs} ms`);
      await once(this.#changes, "change", { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  #trouble(what: string): Error {
    const [stdout, stderr] = [this.#stdout, this.#stderr].map((text) => text.slice(-SHOWN_CHARS));
    return new Error(`${this.#name} ${what}\n--- stdout\n${stdout}\n--- stderr\n${stderr}`);
  }
}

/** A process found on this machine. */
export interface FoundProcess {
  readonly pid: number;
  /** Its command line, or its name when it has none. */
  readonly command: string;
}

/**
 * Running processes that belong to a directory: they work in it, or were started with an environment that names it.
 * Zombies do not count. Finds none where there is no /proc.
 */
export async function findProcessesOf(dir: string): Promise<FoundProcess[]> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => findIfOf(pid, dir)));
  return found.flatMap((entry) => entry ?? []);
}

/** Most memory a running process has had resident, in bytes. */
export async function loadPeakMemoryBytes(pid: number): Promise<number> {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  if (peak === undefined) throw new Error(`process ${pid} tells no peak of its memory`);
  return Number(peak) * 1024;
}

async function findIfOf(pid: number, dir: string): Promise<FoundProcess | undefined> {
  if (pid === process.pid) return undefined;
  try {
    const [cwd, environ] = await Promise.all([readlink(`/proc/${pid}/cwd`), readFile(`/proc/${pid}/environ`, "utf8")]);
    const isInside = cwd === dir || cwd.startsWith(`${dir}/`);
    if (!isInside && !environ.includes(dir)) return undefined;
    const line = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ").trim();
    return { pid, command: line === "" ? (await readFile(`/proc/${pid}/comm`, "utf8")).trim() : line };
  } catch {
    // It has ended meanwhile, is a zombie, or is not ours to look at.
    return undefined;
  }
}
