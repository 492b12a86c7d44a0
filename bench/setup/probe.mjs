// Loaded into every process a benchmark starts: it ends with the benchmark, and tells how long its event loop stood
// still once it is asked to watch (watching costs a little, so nobody does until then).
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

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
    const stallMaxMs = Math.max(0, delay.max / NS_PER_MS - RESOLUTION_MS);
    process.send({ probe: "read", stallMaxMs, heldMb: heldMb() });
  }
});
/** Memory of JavaScript that is really held: what is left after a collection. */
function heldMb() {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1_024 / 1_024;
}

process.on("disconnect", () => process.exit(1));
process.channel?.unref();
