import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";

const TICKS_PER_SEC = 100;
/** Writing this to `clear_refs` of a process forgets its peak of memory. */
const FORGET_PEAK = "5";

/**
 * Begins to watch processes: their peaks of memory, time of processor and stalls of the event loop count from here.
 * Where there is no /proc, only the stalls are known.
 */
export async function watchProcesses(processes) {
  const watched = processes.filter(({ role }) => role !== "raw");
  await Promise.all(watched.map(({ child }) => ask(child, "reset")));
  for (const { child } of watched) forgetPeak(child.pid);
  const cpuBefore = new Map(watched.map(({ child }) => [child.pid, cpuMs(child.pid)]));
  return {
    /**
     * For each role the largest peak and the longest stall of its processes, what they hold at the end, and their
     * processor time together.
     */
    async read() {
      const figures = {};
      for (const role of new Set(watched.map((one) => one.role))) {
        const children = watched.filter((one) => one.role === role).map(({ child }) => child);
        const [peaks, times] = [children.map(({ pid }) => peakRssMb(pid)), children.map(({ pid }) => cpuMs(pid))];
        const told = await Promise.all(children.map((child) => ask(child, "read"))); // this takes time of its own
        const largest = (field) => Math.max(...told.map((answer) => answer[field]));
        figures[role] = {
          peakRssMb: Math.max(...peaks),
          cpuMs: children.reduce((sum, { pid }, i) => sum + times[i] - cpuBefore.get(pid), 0),
          stallMaxMs: largest("stallMaxMs"),
          heldMb: largest("heldMb"),
        };
      }
      return figures;
    },
  };
}

async function ask(child, probe) {
  const answered = once(child, "message");
  child.send({ probe });
  const [answer] = await answered;
  return answer;
}

function forgetPeak(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, FORGET_PEAK);
  } catch {
    // then the peak is that since the process began
  }
}

/** Most memory a process has had resident, in MB. */
export function peakRssMb(pid) {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(peak) / 1_024);
}

/** Time of processor a process has used so far, in ms. */
export function cpuMs(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user, system] = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return ((user + system) * 1_000) / TICKS_PER_SEC;
}
