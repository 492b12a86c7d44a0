import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

/** A process, told apart from a later one under the same id. */
export interface ProcessId {
  readonly pid: number;
  /** When it started, in ticks since boot. */
  readonly startedAt: string;
}

/** A process that was looked for. */
export interface FoundProcess extends ProcessId {
  readonly isInGroup: boolean;
}

/** Which processes are looked for. */
export interface ProcessMark {
  readonly groupId: number;
  /** A variable of the environment, `NAME=value`; null to look at groups alone. */
  readonly variable: string | null;
  /** No process with the variable started before this, in ticks since boot; spares most of the search. */
  readonly since: string;
}

/**
 * Running processes that are in a group, or carry a variable in the environment they were started with; zombies do not
 * run. Processes of others whose environment we may not read are found by their group only.
 *
 * @returns undefined where there is no /proc
 */
export async function findProcesses(mark: ProcessMark): Promise<FoundProcess[] | undefined> {
  const names = await readdir("/proc").catch(() => undefined);
  if (names === undefined) return undefined;
  const ids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(ids.map((pid) => findIfMarked(pid, mark)));
  return found.flatMap((id) => id ?? []);
}

async function findIfMarked(pid: number, mark: ProcessMark): Promise<FoundProcess | undefined> {
  if (pid === process.pid) return undefined;
  const { groupId, variable, since } = mark;
  const stat = findStat(pid);
  if (stat === undefined || stat.state === "Z" || stat.state === "X") return undefined;
  const isInGroup = stat.groupId === groupId;
  const id = { pid, startedAt: stat.startedAt, isInGroup };
  if (isInGroup) return id;
  if (variable === null || Number(stat.startedAt) < Number(since)) return undefined;
  const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  return `\0${environ}`.includes(`\0${variable}\0`) ? id : undefined;
}

/** When a process started; undefined when there is none, or no /proc. */
export function findStartTime(pid: number): string | undefined {
  return findStat(pid)?.startedAt;
}

/** Session of a process that is not over; undefined when there is none. */
export function findSession(pid: number): number | undefined {
  const stat = findStat(pid);
  return stat === undefined || stat.state === "Z" || stat.state === "X" ? undefined : stat.sessionId;
}

/** Sends a signal to a process, unless its id belongs to another one by now. */
export function signalProcess({ pid, startedAt }: ProcessId, name: NodeJS.Signals): void {
  if (findStartTime(pid) !== startedAt) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile, or is not ours to signal.
  }
}

interface Stat {
  readonly state: string;
  readonly groupId: number;
  readonly sessionId: number;
  readonly startedAt: string;
}

/** Read at once: the kernel answers from memory, ten times faster than a thread of the pool is there. */
function findStat(pid: number): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Reads a line of proc(5) `stat`: the name in parentheses may hold anything, then come state, parent, group and session. */
function parseStat(line: string): Stat | undefined {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const [state, , groupId, sessionId] = fields;
  const startedAt = fields[19];
  if (state === undefined || groupId === undefined || sessionId === undefined || startedAt === undefined)
    return undefined;
  return { state, groupId: Number(groupId), sessionId: Number(sessionId), startedAt };
}
