import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PlanInput } from "@fanfold/schemas";
import { type Deployment, eventually } from "@fanfold/testkit";
import { expect } from "vitest";

/** Shards of the phase that waits. */
export const SHARDS = 12;

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

  /** Waits for the run's end, and holds that it has the right result, and that nothing was done twice. */
  async endsWell(deployment: Deployment, runId: string): Promise<void> {
    const run = await deployment.ended(runId, 15_000);
    expect(run.status).toBe("succeeded");
    const phases = await deployment.store.runs.loadPhases(runId);
    expect(phases.get("count")?.artifacts?.[0]?.inline?.trim()).toBe(String(SHARDS));
    expect(phases.get("work")?.artifacts?.[0]?.inline).toBe(phases.get("list")?.artifacts?.[0]?.inline);
    expect(await deployment.story(runId)).not.toMatch(/shard_(?:failed|retry|lost|cancelled)/);
    expect(this.#files("began-").map((file) => readFileSync(join(this.#dir, file), "utf8"))).toEqual(
      Array.from({ length: SHARDS }, () => "x\n"),
    );
  }

  #files(prefix: string): string[] {
    return readdirSync(this.#dir).filter((file) => file.startsWith(prefix));
  }
}
