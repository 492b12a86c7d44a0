import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./attempt-error.ts";
import { processGuard } from "../process-guard.ts";
import { findProcesses, findStartTime, type FoundProcess, type ProcessMark, signalProcess } from "./process-table.ts";

/** How the processes of an attempt came to their end; `survived` when even SIGKILL did not end one in time. */
export type GroupEnding = "gone" | "SIGTERM" | "SIGKILL" | "survived";

/** How long processes that got SIGKILL may take to disappear (one in an uninterruptible wait does), in ms. */
const KILL_CONFIRM_MS = 10_000;
const FIRST_POLL_MS = 5;
const MAX_POLL_MS = 200;

/** Variable of the environment that tells the processes of an attempt from all others. */
export const ATTEMPT_ID_VARIABLE = "FANFOLD_ATTEMPT_ID";

const liveGroups = new Set<ProcessGroup>();
let watchesExit = false;
let kills = 0;

/** How often all groups were killed: whoever starts a command meanwhile has to kill its group, too. */
export function countKills(): number {
  return kills;
}

/** Kills every process group that is not released, without a grace. */
export function killProcessGroups(): void {
  kills += 1;
  for (const group of liveGroups) group.signal("SIGKILL");
}

/**
 * The processes a command started, under the process group of the first of them.
 *
 * 1. A group is alive while one of its processes runs; zombies nobody reaps do not count.
 * 2. Processes that left the group are found by the attempt's id in their environment, where there is a /proc. They are
 *    ended with the group when it is terminated, and left alone otherwise: who leaves in order means to stay.
 * 3. Groups that are not released die with the worker: it kills them when it exits, and its guard when it cannot.
 */
export class ProcessGroup {
  readonly #id: number;
  readonly #attemptId: string;
  readonly #startedAt: string | undefined;
  #survivors: readonly number[] = [];

  /**
   * @param id        process id of the group's leader, which was started detached, and in this tick
   * @param attemptId what its processes have in `FANFOLD_ATTEMPT_ID`; the guard knows of it already
   */
  constructor(id: number, attemptId: string) {
    this.#id = id;
    this.#attemptId = attemptId;
    this.#startedAt = findStartTime(id);
    liveGroups.add(this);
    processGuard.lead(attemptId, id, this.#startedAt);
    if (watchesExit) return;
    watchesExit = true;
    process.once("exit", killProcessGroups);
  }

  /** Processes that `terminate` could not end. */
  get survivors(): readonly number[] {
    return this.#survivors;
  }

  /** Ends the watch over a group that is gone. */
  release(): void {
    liveGroups.delete(this);
    if (this.#survivors.length === 0) processGuard.close(this.#attemptId);
  }

  /**
   * Sends a signal to every process of the group.
   *
   * @returns whether there is a group that could get it
   */
  signal(name: NodeJS.Signals | 0): boolean {
    try {
      process.kill(-this.#id, name);
      return true;
    } catch (error) {
      // EPERM: there are processes, but none of them is ours to signal.
      return errorCode(error) === "EPERM";
    }
  }

  /**
   * Asks the processes of the attempt to end with SIGTERM, and after the grace makes them end with SIGKILL: those of
   * the group and those that left it. Resolves after their death.
   */
  async terminate(graceMs: number): Promise<GroupEnding> {
    if ((await this.#findAll()).length === 0) return "gone";
    if (await this.#endAll("SIGTERM", graceMs)) return "SIGTERM";
    if (await this.#endAll("SIGKILL", KILL_CONFIRM_MS)) return "SIGKILL";
    this.#survivors = (await this.#findAll()).map(({ pid }) => pid);
    return this.#survivors.length === 0 ? "SIGKILL" : "survived";
  }

  /** Waits for the group to be gone, at most `timeoutMs`; with 0 it only looks. */
  async endsWithin(timeoutMs: number): Promise<boolean> {
    return pollUntil(timeoutMs, async () => !(await this.#isAlive()));
  }

  /** Sends a signal to everything, once to each process; waits at most `timeoutMs` for the end of all. */
  #endAll(name: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
    const signalled = new Set<string>();
    this.signal(name);
    return pollUntil(timeoutMs, async () => {
      const found = await this.#findAll();
      for (const stray of found.filter(({ isInGroup }) => !isInGroup)) {
        const key = `${stray.pid} ${stray.startedAt}`;
        if (!signalled.has(key)) signalProcess(stray, name);
        signalled.add(key);
      }
      return found.length === 0;
    });
  }

  #mark(variable: string | null): ProcessMark {
    return { groupId: this.#id, variable, since: this.#startedAt ?? "0" };
  }

  async #isAlive(): Promise<boolean> {
    if (!this.signal(0)) return false;
    // Looks twice, for a process that was just forked while its parent went away.
    return (await this.#hasRunningProcess()) || (this.signal(0) && (await this.#hasRunningProcess()));
  }

  /** Looks behind zombies, which still take signals; where there is no /proc a group with zombies counts as alive. */
  async #hasRunningProcess(): Promise<boolean> {
    const found = await findProcesses(this.#mark(null));
    return found === undefined || found.length > 0;
  }

  /** All running processes of the attempt, looked for twice; without /proc the group stands for them. */
  async #findAll(): Promise<readonly FoundProcess[]> {
    const mark = this.#mark(`${ATTEMPT_ID_VARIABLE}=${this.#attemptId}`);
    const found = await findProcesses(mark);
    if (found === undefined) return this.signal(0) ? [{ pid: this.#id, startedAt: "", isInGroup: true }] : [];
    return found.length > 0 ? found : ((await findProcesses(mark)) ?? []);
  }
}

/** Polls until `isDone`, at most `timeoutMs`; with 0 it only looks. */
async function pollUntil(timeoutMs: number, isDone: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  let pollMs = FIRST_POLL_MS;
  while (!(await isDone())) {
    const restMs = deadline - performance.now();
    if (restMs <= 0) return false;
    await sleep(Math.min(pollMs, restMs));
    pollMs = Math.min(pollMs * 1.5, MAX_POLL_MS);
  }
  return true;
}
