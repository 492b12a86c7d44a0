import { checkSpawn } from "@fanfold/core";
import type { SpawnRequest } from "@fanfold/schemas";
import { AttemptError } from "./attempt-error.ts";
import type { AskedChild, AttemptSpec } from "./attempt-spec.ts";

/** What one attempt asks to be spawned. It has an effect only if the attempt ends well. */
export class AttemptSpawns {
  readonly #spec: AttemptSpec;
  readonly #asked = new Map<string, AskedChild>();

  constructor(spec: AttemptSpec) {
    this.#spec = spec;
  }

  /** What was asked for, in order; each key once. */
  get asked(): readonly AskedChild[] {
    return [...this.#asked.values()];
  }

  /**
   * Takes a request, as it was written. Asking for the same once more changes nothing.
   *
   * @throws {AttemptError} `SPAWN_INVALID` when it makes no sense, `SPAWN_LIMIT` when there would be too many, or too deep
   */
  take(fields: Readonly<Record<string, unknown>>): void {
    const { spawn, phase } = this.#spec;
    if (spawn === undefined) throw invalid("a merge cannot spawn phases; let a shard, or a phase after it, do that");
    const before = typeof fields["key"] === "string" ? this.#asked.get(fields["key"]) : undefined;
    const spawnedSoFar = spawn.earlier + this.#asked.size - (before === undefined ? 0 : 1);
    const check = checkSpawn(fields, { plan: spawn.plan, spawner: phase, spawnedSoFar });
    if (check.kind !== "ok") throw check.kind === "limit" ? tooMany(phase.id, check.why) : invalid(check.why);
    const request = this.#withRequester(check.request);
    if (before === undefined) this.#asked.set(request.key, { request, copyOf: check.copyOf });
    else if (JSON.stringify(before.request) !== JSON.stringify(request)) {
      throw invalid(`key "${request.key}" was used before in this attempt, for another request`);
    }
  }

  #withRequester(request: SpawnRequest): SpawnRequest {
    const { phase, shardIndex, shardCount } = this.#spec;
    const requestedBy = shardCount === 1 ? phase.id : `${phase.id}[${shardIndex}]`;
    return { ...request, regression_context: { requested_by: requestedBy, ...request.regression_context } };
  }
}

function invalid(why: string): AttemptError {
  return new AttemptError("SPAWN_INVALID", `cannot spawn: ${why}`, {
    next_action: 'report {"type":"spawn","phase":"…","key":"…"} with the id of a phase that is spawnable',
  });
}

function tooMany(phase: string, why: string): AttemptError {
  return new AttemptError("SPAWN_LIMIT", `cannot spawn: ${why}`, {
    next_action: `look why ${phase} needs so many rounds; max_spawned and max_spawn_depth of the phase are the bounds`,
  });
}
