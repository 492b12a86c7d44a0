import {
  DependencySchema,
  GlobalsSchema,
  MergeSchema,
  PhaseSchema,
  PlanSchema,
  ShardSchema,
  UNSUPPORTED_FIELDS,
  VariableSchema,
} from "@fanfold/schemas";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanPath } from "./plan-problem.ts";

/** The keys one kind of map in a plan may have. */
export interface MapShape {
  readonly suggester: NameSuggester;
  /** Keys that a later release implements. */
  readonly unsupported: ReadonlySet<string>;
}

const KEYS_AND_LATER: Readonly<Record<string, readonly [keys: readonly string[], later?: readonly string[]]>> = {
  "": [[...Object.keys(PlanSchema.shape), "steps"], UNSUPPORTED_FIELDS.plan],
  globals: [Object.keys(GlobalsSchema.shape), UNSUPPORTED_FIELDS.globals],
  "variables.*": [Object.keys(VariableSchema.shape)],
  "phases.*": [Object.keys(PhaseSchema.shape), UNSUPPORTED_FIELDS.phase],
  "phases.*.depends_on.*": [Object.keys(DependencySchema.shape)],
  "phases.*.shard": [Object.keys(ShardSchema.shape)],
  "phases.*.merge": [Object.keys(MergeSchema.shape), UNSUPPORTED_FIELDS.merge],
};

/** Shape of the map at a path; undefined where the plan's author chooses the keys. */
export function findShape(path: PlanPath): MapShape | undefined {
  const pattern = path.map((part, depth) => (typeof part === "number" || isVariableName(path, depth) ? "*" : part));
  const entry = KEYS_AND_LATER[pattern.join(".")];
  if (entry === undefined) return undefined;
  const [keys, later = []] = entry;
  return { suggester: new NameSuggester(keys), unsupported: new Set(later) };
}

function isVariableName(path: PlanPath, depth: number): boolean {
  return depth === 1 && path[0] === "variables";
}
