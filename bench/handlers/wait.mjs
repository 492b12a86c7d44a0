import { setTimeout as sleep } from "node:timers/promises";

/** Takes 20 ms. */
export default () => sleep(20, "");
