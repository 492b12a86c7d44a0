import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { systemErrorCode, unlessAbsent } from "./file-errors.ts";
import { pollFor } from "./poll-for.ts";

/** One process for ever: a pid comes back for another process, a pid with its start does not. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in whatever form the system tells it. Only equality means something. */
  started: string;
}

const UNKNOWN_START = "unknown";
const POLL_INTERVAL_MS = 2;
const KILL_LIMIT_MS = 2_000;
const runFile = promisify(execFile);

/** Identity of the process that has this pid now, or `undefined` when it has ended (a zombie has ended). */
export async function findProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (!isPidTaken(pid)) return undefined;
  const started = process.platform === "linux" ? await loadStartFromProc(pid) : await loadStartFromPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Identity of this process. */
export async function loadOwnProcess(): Promise<ProcessIdentity> {
  return (await findProcess(process.pid)) ?? { pid: process.pid, started: UNKNOWN_START };
}

/** Whether exactly this process still runs. */
export async function isProcessAlive({ pid, started }: ProcessIdentity): Promise<boolean> {
  return (await findProcess(pid))?.started === started;
}

/**
 * Waits for a process to end.
 *
 * @returns whether it has ended within the limit
 */
export async function waitForProcessEnd(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const hasEnded = async () => ((await isProcessAlive(identity)) ? undefined : true);
  return (await pollFor(hasEnded, { intervalMs: POLL_INTERVAL_MS, limitMs })) ?? false;
}

/**
 * Ends a process at once, by KILL.
 *
 * @returns whether it has ended
 */
export async function killProcess(identity: ProcessIdentity): Promise<boolean> {
  await signalProcess(identity, "SIGKILL");
  return await waitForProcessEnd(identity, KILL_LIMIT_MS);
}

/**
 * Ends a process: TERM, and KILL when it has not ended within `graceMs`.
 *
 * @returns whether it has ended
 */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  await signalProcess(identity, "SIGTERM");
  return (await waitForProcessEnd(identity, graceMs)) || (await killProcess(identity));
}

/** An identity as one line of text, for files. */
export function formatProcess({ pid, started }: ProcessIdentity): string {
  return `${pid} ${started}`;
}

/** Reads what {@link formatProcess} wrote; `undefined` for any other text. */
export function parseProcess(text: string): ProcessIdentity | undefined {
  const match = /^([1-9]\d*) (\S.*)$/.exec(text.trim());
  return match?.[2] === undefined ? undefined : { pid: Number(match[1]), started: match[2] };
}

async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  if (!(await isProcessAlive(identity))) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It has just ended, or belongs to somebody else; the wait that follows tells which.
  }
}

function isPidTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/** Field 22 of /proc/<pid>/stat, in clock ticks since boot. The fields are counted after the name, which may hold anything. */
async function loadStartFromProc(pid: number): Promise<string | undefined> {
  const stat = await unlessAbsent(readProc(pid));
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return state === undefined || isEndedState(state) ? undefined : (fields[18] ?? UNKNOWN_START);
}

async function readProc(pid: number): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    // The process ended between opening and reading.
    if (systemErrorCode(error) === "ESRCH") return undefined;
    throw error;
  }
}

async function loadStartFromPs(pid: number): Promise<string | undefined> {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  try {
    const { stdout } = await runFile("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { env });
    const [state = "", ...started] = stdout.trim().split(/\s+/);
    return isEndedState(state) ? undefined : started.join(" ");
  } catch {
    return isPidTaken(pid) ? UNKNOWN_START : undefined;
  }
}

function isEndedState(state: string): boolean {
  return state.startsWith("Z") || state.startsWith("X");
}
