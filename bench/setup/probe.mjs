// Loaded into every process a benchmark starts: it ends with the benchmark, and tells how long its event loop stood
// still once it is asked to watch (watching costs a little, so nobody does until then).
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the loop is looked at; a stall is what comes on top of it. */
const RESOLUTION_MS = 5;
const NS_PER_MS = 1e6;
let delay;

process.on("message", ({ probe }) => {
  if (probe === "reset") {
    delay ??= monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    delay.reset();
    process.send({ probe: "reset" });
  }
  if (probe === "read") {
    const stallMs = (ns) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
    const figures = { stallMaxMs: stallMs(delay.max), stallP99Ms: stallMs(delay.percentile(99)) };
    process.send({ probe: "read", ...figures });
  }
});
process.on("disconnect", () => process.exit(1));
process.channel?.unref();
