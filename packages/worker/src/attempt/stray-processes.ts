import { existsSync, readFileSync } from "node:fs";
import { findSession } from "./process-table.ts";

/** Most processes that are looked at, each of which takes some microseconds. */
const MAX_LOOKS = 128;
/** Longest time of a command that is looked for, in ms: ids begin anew after 32,768 processes at the earliest. */
const SOON_MS = 1_000;

/**
 * Whether a process may be left of a command whose process group is gone: one that left the group. A descendant has a
 * later id than the leader, and is in the session of the leader or in one that began later, for there is no other way
 * into a session than to be born in it or to begin it. That is so while ids do not begin anew, so it is for a command
 * that was soon over: not even a machine that does nothing else starts so many processes in the meantime.
 *
 * @param leaderId  process id of the command
 * @param sessionId session in which it was started, and nothing else is
 * @param tookMs    time since it was started
 * @returns true as well when that cannot be told: ids have begun anew, there is no /proc, or too much to look at
 */
export function mayHaveStrays(leaderId: number, sessionId: number, tookMs: number): boolean {
  if (tookMs > SOON_MS) return true;
  const latest = latestProcessId();
  if (latest === undefined || latest < leaderId || latest - leaderId > MAX_LOOKS) return true;
  for (let pid = leaderId + 1; pid <= latest; pid += 1) {
    if (!existsSync(`/proc/${pid}`)) continue;
    const session = findSession(pid);
    if (session !== undefined && (session === sessionId || session > leaderId)) return true;
  }
  return false;
}

/** Id of the process, or thread, that was started last, among those that this process can see. */
function latestProcessId(): number | undefined {
  try {
    const latest = Number(readFileSync("/proc/loadavg", "utf8").trimEnd().split(" ").at(-1));
    return Number.isSafeInteger(latest) && latest > 0 ? latest : undefined;
  } catch {
    return undefined;
  }
}
