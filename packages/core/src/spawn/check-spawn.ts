import {
  type CompiledPhase,
  type CompiledPlan,
  MAX_SPAWN_REQUEST_BYTES,
  MAX_SPAWNED_IN_RUN,
  type SpawnRequest,
  SpawnRequestSchema,
} from "@fanfold/schemas";
import { NameSuggester } from "../plan/name-suggester.ts";
import { depthOf, spawnOf } from "./spawn-bounds.ts";

/** What a request to spawn is judged by. */
export interface SpawnRules {
  readonly plan: CompiledPlan;
  readonly spawner: CompiledPhase;
  /** Children that the shard has spawned so far, those of the attempt under way included. */
  readonly spawnedSoFar: number;
}

/** A request that makes sense, or what is wrong with it; `limit`: it would, were there not so many or so deep. */
export type SpawnCheck =
  | { readonly kind: "ok"; readonly request: SpawnRequest; readonly copyOf: CompiledPhase }
  | { readonly kind: "invalid" | "limit"; readonly why: string };

/** Checks what an attempt asks for, as it wrote it. */
export function checkSpawn(fields: Readonly<Record<string, unknown>>, rules: SpawnRules): SpawnCheck {
  if ("original_prompt" in fields)
    return invalid("original_prompt cannot be changed; give the child a prompt of its own");
  const read = SpawnRequestSchema.safeParse(fields);
  if (!read.success) {
    const [issue] = read.error.issues;
    const place = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
    const message = issue?.code === "invalid_key" ? issue.issues[0]?.message : issue?.message;
    return invalid(`${place}${message ?? "it is not a request to spawn"}`);
  }
  const bytes = new TextEncoder().encode(JSON.stringify(read.data)).byteLength;
  if (bytes > MAX_SPAWN_REQUEST_BYTES) {
    return invalid(
      `the request has ${bytes} bytes, more than ${MAX_SPAWN_REQUEST_BYTES}; hand over a path or less text`,
    );
  }
  const changed = findChangedVariable(read.data, rules.plan);
  if (changed !== undefined) return invalid(changed);
  const found = findSpawnable(read.data.phase, rules);
  if (typeof found === "string") return invalid(found);
  const why = findExceededBound(rules);
  return why === undefined ? { kind: "ok", request: read.data, copyOf: found } : { kind: "limit", why };
}

function invalid(why: string): SpawnCheck {
  return { kind: "invalid", why };
}

/** The variables of a run are the same for all its phases, whenever they come to it. */
function findChangedVariable({ variables = {} }: SpawnRequest, plan: CompiledPlan): string | undefined {
  const name = Object.keys(variables).find(
    (one) => Object.hasOwn(plan.variables, one) && plan.variables[one] !== variables[one],
  );
  return name === undefined ? undefined : `variable ${name} of the run cannot be changed; use another name`;
}

/** The phase with this id, or the one instance of its matrix that belongs to the spawner's. */
function findSpawnable(name: string, { plan, spawner }: SpawnRules): CompiledPhase | string {
  const declared = plan.phases.filter(({ spawned }) => spawned === undefined);
  const named = declared.filter(({ id, template }) => id === name || template === name);
  const [first] = named;
  if (first === undefined) {
    const hint = new NameSuggester(declared.map(({ id }) => id)).hint(name);
    return `the plan has no phase ${name}${hint === undefined ? "" : `; ${hint}`}`;
  }
  if (!spawnOf(first).spawnable) return `phase ${name} is not spawnable; say spawnable: true in the plan to allow it`;
  const fitting = named.length === 1 ? named : named.filter(({ matrix }) => fits(matrix, spawner.matrix));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const names = named.slice(0, 5).map(({ id }) => id);
  return `phase ${name} has ${named.length} instances; name one of them, such as ${names.join(", ")}`;
}

/** Whether two points agree in every dimension that both have, and there is such a one. */
function fits(point: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const shared = Object.keys(point).filter((dimension) => dimension in other);
  return shared.length > 0 && shared.every((dimension) => point[dimension] === other[dimension]);
}

function findExceededBound({ plan, spawner, spawnedSoFar }: SpawnRules): string | undefined {
  const { max_depth, max_spawned } = spawnOf(spawner);
  const depth = depthOf(spawner) + 1;
  if (depth > max_depth) return `its child would be at depth ${depth}, and max_spawn_depth is ${max_depth}`;
  if (spawnedSoFar >= max_spawned) return `it has spawned ${spawnedSoFar} phases, and max_spawned is ${max_spawned}`;
  const inRun = plan.phases.filter(({ spawned }) => spawned !== undefined).length;
  if (inRun < MAX_SPAWNED_IN_RUN) return undefined;
  return `phases were spawned ${inRun} times in this run; ${MAX_SPAWNED_IN_RUN} is the most`;
}
