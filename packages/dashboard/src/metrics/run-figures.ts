import type { PhaseLedger, RunStatus } from "@fanfold/schemas";
import type { Store } from "@fanfold/store";

/** Live runs that one scrape looks at; more are left out of the figures by phase and shard. */
const MAX_RUNS = 500;

/** How many of what are in which state, over the runs that are not over. */
export interface RunFigures {
  readonly runs: ReadonlyMap<RunStatus, number>;
  readonly phases: ReadonlyMap<string, number>;
  readonly shards: ReadonlyMap<string, number>;
  /** All runs that are kept, those that are over included. */
  readonly storedRuns: number;
}

/** Counts runs, phases and shards by state. */
export async function readRunFigures(store: Store): Promise<RunFigures> {
  const [live, storedRuns] = await Promise.all([store.runs.listLive(), store.index.count()]);
  const [runs, phases, shards] = [new Tally<RunStatus>(), new Tally<string>(), new Tally<string>()];
  for (const runId of live.slice(0, MAX_RUNS)) {
    const [run, records, counts] = await Promise.all([
      store.runs.find(runId),
      store.runs.loadPhases(runId),
      store.ledger.loadPhases(runId),
    ]);
    if (run === undefined) continue;
    runs.add(run.status);
    for (const { status } of records.values()) phases.add(status);
    for (const entry of counts.values()) addShards(shards, entry);
  }
  return { runs: runs.counts, phases: phases.counts, shards: shards.counts, storedRuns };
}

function addShards(shards: Tally<string>, { total, in_flight, succeeded, failed, cancelled }: PhaseLedger): void {
  shards.add("in_flight", in_flight);
  shards.add("succeeded", succeeded);
  shards.add("failed", failed);
  shards.add("cancelled", cancelled);
  shards.add("waiting", Math.max(0, total - in_flight - succeeded - failed - cancelled));
}

class Tally<Key> {
  readonly counts = new Map<Key, number>();

  add(key: Key, count = 1): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + count);
  }
}
