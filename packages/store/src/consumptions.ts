import { type Consumption, ConsumptionSchema } from "@fanfold/schemas";
import { type Keys, type PhaseRef, parsePhaseRevision, phaseRevisionId } from "./keys.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import { scanHash } from "./scan-hash.ts";
import { Script } from "./scripts.ts";

const RECORD_CONSUMPTION = new Script("record_consumption");

/** A kept set, with the phase it was given to. */
export interface KeptConsumption extends PhaseRef {
  /** Name of the set in the records of the attempts that were given it. */
  readonly id: string;
  readonly consumption: Consumption;
}

/**
 * Which artifacts the attempts of a run were given. All attempts of a phase are given the same ones, as long as nobody
 * runs the phases before it again: so a set is kept once, and each attempt's record has its id.
 */
export class Consumptions {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Keeps a set under its id, unless it is there or the run is gone. */
  async record(runId: string, { phase, revision }: PhaseRef, id: string, consumption: Consumption): Promise<void> {
    const { run, consumed } = this.#keys.run(runId);
    const field = `${phaseRevisionId(phase, revision)} ${id}`;
    await RECORD_CONSUMPTION.run(this.#redis, [run, consumed], [field, JSON.stringify(consumption)]);
  }

  /** Every set of a run, in no order. */
  async load(runId: string): Promise<KeptConsumption[]> {
    const kept = new Map<string, KeptConsumption>();
    for await (const page of scanHash(this.#redis, this.#keys.run(runId).consumed)) {
      for (const [field, text] of page) {
        const [place = "", id = ""] = field.split(" ");
        kept.set(field, { ...parsePhaseRevision(place), id, consumption: ConsumptionSchema.parse(JSON.parse(text)) });
      }
    }
    return [...kept.values()];
  }
}
