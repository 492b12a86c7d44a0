import { w2 } from "./chain.mjs";
import { w4 } from "./commands.mjs";
import { d1, d2 } from "./dashboard.mjs";
import { w1, w1c } from "./fan-out.mjs";
import { w3, w7 } from "./graph.mjs";
import { s5 } from "./idle.mjs";
import { w6 } from "./latency.mjs";
import { s6 } from "./redis-work.mjs";
import { s2 } from "./scale-memory.mjs";
import { s4 } from "./scale-output.mjs";
import { s3 } from "./scale-runs.mjs";
import { s1 } from "./scale-shards.mjs";
import { w5 } from "./start.mjs";

/** By the names they have in docs/performance.md: a list of variants, or a function that makes them of a size. */
const workloads = {
  W1: w1,
  W1c: w1c,
  W2: w2,
  W3: w3,
  W4: w4,
  W5: w5,
  W6: w6,
  W7: w7,
  S1: s1,
  S2: s2,
  S3: s3,
  S4: s4,
  S5: s5,
  S6: s6,
  D1: d1,
  D2: d2,
};

export const workloadNames = Object.keys(workloads);

/**
 * What a name on the command line stands for: `W4` all of its variants, `W4:small` one of them, `S1:20000` one size.
 * Undefined when there is no such thing.
 */
export function chooseWorkloads(text) {
  const [name, part] = text.split(":");
  const found = workloads[name];
  if (found === undefined) return undefined;
  if (typeof found === "function") return part === undefined ? found() : sized(found, part);
  if (part === undefined) return found;
  const chosen = found.filter(({ id }) => id === `${name}:${part}`);
  return chosen.length === 0 ? undefined : chosen;
}

function sized(make, part) {
  const size = Number(part);
  return Number.isInteger(size) && size > 0 ? make(size) : undefined;
}
