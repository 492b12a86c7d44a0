import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { type Deployment, eventually } from "@fanfold/testkit";

/** Shards of the phase that waits. */
export const SHARDS = 12;

/** Longest time for a run, and for a test of one, on a machine that is busy with others, in ms; alone it takes a second. */
const RUN_MS = 45_000;
export const BUSY_MS = 60_000;

/** What came of a run. */
export interface Outcome {
  readonly status: string;
  /** What the last phase counted. */
  readonly count: string;
  /** Whether the merged output has every record in order. */
  readonly hasAll: boolean;
  readonly mishaps: readonly string[];
  /** How often each shard was begun. */
  readonly begun: readonly number[];
}

/** The outcome of a run with the right result, in which nothing was lost or done twice. */
export const ENDED_WELL: Outcome = {
  status: "succeeded",
  count: String(SHARDS),
  hasAll: true,
  mishaps: [],
  begun: Array.from({ length: SHARDS }, () => 1),
};

/**
 * A run in three phases, whose second one waits in the middle until it is let go. Each attempt leaves a file behind,
 * so that the test counts them by itself.
 */
export class GatedPlan {
  readonly #dir: string;
  readonly plan: PlanInput;

  constructor(dir: string) {
    this.#dir = dir;
    const wait = `echo x >> ${dir}/began-$FANFOLD_SHARD_INDEX; while [ ! -e ${dir}/go ]; do sleep 0.02; done; cat $FANFOLD_INPUT`;
    this.plan = {
      plan_id: "gated",
      version: "1",
      globals: { max_concurrency: 4 },
      phases: [
        { id: "list", command: "seq", args: ["-f", '{"n":%g}', "1", String(SHARDS)] },
        {
          id: "work",
          command: `${wait}; echo x >> ${dir}/ended-$FANFOLD_SHARD_INDEX`,
          shell: true,
          depends_on: ["list"],
          shard: { strategy: "chunk", over: "list", chunk_size: 1 },
          merge: { strategy: "records", key: "n", complete: true },
        },
        {
          id: "count",
          command: "wc -l < $FANFOLD_ARTIFACTS/work",
          shell: true,
          depends_on: ["work"],
          consumes: ["work"],
        },
      ],
    };
  }

  /** Waits until so many shards have begun. */
  async began(count: number): Promise<void> {
    await eventually(() => this.#files("began-").length >= count);
  }

  /** Waits until so many shards have done their work, whether that is recorded or not. */
  async ended(count: number): Promise<void> {
    await eventually(() => this.#files("ended-").length >= count);
  }

  letGo(): void {
    if (!existsSync(join(this.#dir, "go"))) writeFileSync(join(this.#dir, "go"), "");
  }

  /** Waits for the run's end, and tells what came of it. */
  async outcome(deployment: Deployment, runId: string): Promise<Outcome> {
    const { status } = await deployment.ended(runId, RUN_MS);
    const phases = await deployment.store.runs.loadPhases(runId);
    const output = (phase: string): string => phases.get(phase)?.artifacts?.[0]?.inline ?? "";
    const events = (await deployment.journal(runId)).map(({ event }) => event);
    return {
      status,
      count: output("count").trim(),
      hasAll: output("work") === output("list"),
      mishaps: events.filter((event) => /^shard_(?:failed|retry|lost|cancelled|timeout)$/.test(event)),
      begun: this.#files("began-").map((file) => readFileSync(join(this.#dir, file), "utf8").split("\n").length - 1),
    };
  }

  #files(prefix: string): string[] {
    return readdirSync(this.#dir).filter((file) => file.startsWith(prefix));
  }
}
