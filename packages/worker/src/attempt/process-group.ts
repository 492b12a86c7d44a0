import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode } from "./attempt-error.ts";

/** How a group came to its end; `survived` when even SIGKILL did not end it in time. */
export type GroupEnding = "gone" | "SIGTERM" | "SIGKILL" | "survived";

/** How long a group that got SIGKILL may take to disappear (a process in an uninterruptible wait does), in ms. */
const KILL_CONFIRM_MS = 10_000;
const FIRST_POLL_MS = 5;
const MAX_POLL_MS = 200;

const liveGroups = new Set<ProcessGroup>();
let watchesExit = false;

/** Kills every process group that is not released, without a grace. */
export function killProcessGroups(): void {
  for (const group of liveGroups) group.signal("SIGKILL");
}

/**
 * The processes a command started, under the process group of the first of them.
 *
 * 1. A group is alive while one of its processes runs; zombies nobody reaps do not count.
 * 2. Groups that are not released die with the worker, as far as it can still act when it exits.
 */
export class ProcessGroup {
  readonly #id: number;

  /** @param id process id of the group's leader, which was started detached */
  constructor(id: number) {
    this.#id = id;
    liveGroups.add(this);
    if (watchesExit) return;
    watchesExit = true;
    process.once("exit", killProcessGroups);
  }

  /** Ends the watch over a group that is gone. */
  release(): void {
    liveGroups.delete(this);
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

  /** Asks the group to end with SIGTERM, and after the grace makes it end with SIGKILL. Resolves after its death. */
  async terminate(graceMs: number): Promise<GroupEnding> {
    if (!(await this.#isAlive())) return "gone";
    this.signal("SIGTERM");
    if (await this.endsWithin(graceMs)) return "SIGTERM";
    this.signal("SIGKILL");
    return (await this.endsWithin(KILL_CONFIRM_MS)) ? "SIGKILL" : "survived";
  }

  /** Waits for the group to be gone, at most `timeoutMs`; with 0 it only looks. */
  async endsWithin(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    let pollMs = FIRST_POLL_MS;
    while (await this.#isAlive()) {
      const restMs = deadline - performance.now();
      if (restMs <= 0) return false;
      await sleep(Math.min(pollMs, restMs));
      pollMs = Math.min(pollMs * 1.5, MAX_POLL_MS);
    }
    return true;
  }

  async #isAlive(): Promise<boolean> {
    if (!this.signal(0)) return false;
    // Looks twice, for a process that was just forked while its parent went away.
    return (await this.#hasRunningProcess()) || (this.signal(0) && (await this.#hasRunningProcess()));
  }

  /** Looks behind zombies, which still take signals; where there is no /proc a group with zombies counts as alive. */
  async #hasRunningProcess(): Promise<boolean> {
    const names = await readdir("/proc").catch(() => undefined);
    if (names === undefined) return true;
    const ids = names.filter((name) => /^\d+$/.test(name));
    const stats = await Promise.all(ids.map((id) => readFile(`/proc/${id}/stat`, "utf8").catch(() => "")));
    return stats.some((stat) => this.#isRunningMember(stat));
  }

  /** Reads a line of proc(5) `stat`: the name in parentheses may hold anything, then come state, parent and group. */
  #isRunningMember(stat: string): boolean {
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(group) === this.#id && state !== "Z" && state !== "X";
  }
}
