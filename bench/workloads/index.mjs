import { w1, w1c } from "./fan-out.mjs";
import { w2 } from "./chain.mjs";
import { w3, w7 } from "./graph.mjs";
import { d1, d2 } from "./dashboard.mjs";
import { w4 } from "./commands.mjs";
import { w5 } from "./start.mjs";

/** By the names they have in docs/performance.md. */
export const workloads = { W1: w1, W1c: w1c, W2: w2, W3: w3, W4: w4, W5: w5, W7: w7, D1: d1, D2: d2 };
