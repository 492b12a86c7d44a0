import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jobIds, shardQueue } from "@fanfold/store";
import type { Deployment } from "@fanfold/testkit";

/** Gives its phase's id; `hold-<id>` and `break-<id>` make it wait or fail while they are there. */
const HANDLER = `
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
export default async ({ run: { phase }, signal }) => {
  while (existsSync(new URL("hold-" + phase, import.meta.url))) await sleep(5, undefined, { signal });
  if (existsSync(new URL("break-" + phase, import.meta.url))) throw new Error("broken");
  return phase;
};
`;

/** Writes the handler that phases name as `./work.mjs`. */
export function writeHandler({ dir }: Deployment): Promise<void> {
  return writeFile(join(dir, "work.mjs"), HANDLER);
}

/** The job of the only shard of a phase. */
export function jobOf({ store }: Deployment, runId: string, phase: string) {
  return store.queues.queue(shardQueue("default")).getJob(jobIds.shard(runId, { phase, revision: 1, shard: 0 }));
}
