import { existsSync, readFileSync } from "node:fs";
import { findSession } from "./process-table.ts";

/** Most processes that are looked at, each of which takes some microseconds. */
const MAX_LOOKS = 128;

/**
 * Whether a process may be left of a command whose process group is gone: one that left the group. A descendant has a
 * later id than the leader, and is in the session of the leader or in one that began later, for there is no other way
 * into a session than to be born in it or to begin it.
 *
 * @param leaderId  process id of the command
 * @param sessionId session in which it was started, and nothing else is
 * @returns true as well when that cannot be told: ids have begun anew, there is no /proc, or too much to look at
 */
export function mayHaveStrays(leaderId: number, sessionId: number): boolean {
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
    const latest = Number(readFileSync("/proc/loadavg", "latin1").trimEnd().split(" ").at(-1));
    return Number.isSafeInteger(latest) && latest > 0 ? latest : undefined;
  } catch {
    return undefined;
  }
}
