import {
  ApprovalSchema,
  CacheSchema,
  CollectFilesSchema,
  CostSchema,
  DependencySchema,
  ForEachSchema,
  GlobalsSchema,
  ConcurrencyKeySchema,
  LimitsSchema,
  LockSchema,
  MergeSchema,
  PhaseSchema,
  PlanSchema,
  PriceSchema,
  RetryStrategySchema,
  ShardSchema,
  StageSchema,
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
  "stages.*": [Object.keys(StageSchema.shape)],
  "globals.prices.*": [Object.keys(PriceSchema.shape)],
  "variables.*": [Object.keys(VariableSchema.shape)],
  "phases.*": [Object.keys(PhaseSchema.shape), UNSUPPORTED_FIELDS.phase],
  "phases.*.depends_on.*": [Object.keys(DependencySchema.shape)],
  "phases.*.approval": [Object.keys(ApprovalSchema.options[1].shape)],
  "phases.*.shard": [Object.keys(ShardSchema.shape)],
  "phases.*.for_each": [Object.keys(ForEachSchema.options[1].shape)],
  "phases.*.retry_strategy": [Object.keys(RetryStrategySchema.shape)],
  "phases.*.merge": [Object.keys(MergeSchema.shape), UNSUPPORTED_FIELDS.merge],
  "phases.*.lock": [Object.keys(LockSchema.options[1].shape)],
  "phases.*.concurrency_key": [Object.keys(ConcurrencyKeySchema.options[1].shape)],
  "phases.*.limits": [Object.keys(LimitsSchema.shape)],
  "phases.*.cache": [Object.keys(CacheSchema.options[1].shape)],
  "phases.*.collect": [Object.keys(CollectFilesSchema.shape)],
  "phases.*.collect.*": [Object.keys(CollectFilesSchema.shape)],
  "phases.*.cost": [Object.keys(CostSchema.shape)],
};

/** Shape of the map at a path; undefined where the plan's author chooses the keys. */
export function findShape(path: PlanPath): MapShape | undefined {
  const pattern = path.map((part, depth) => (typeof part === "number" || isOwnName(path, depth) ? "*" : part));
  const entry = KEYS_AND_LATER[pattern.join(".")];
  if (entry === undefined) return undefined;
  const [keys, later = []] = entry;
  return { suggester: new NameSuggester(keys), unsupported: new Set(later) };
}

/** Whether a key is a name of the author's choice. */
function isOwnName(path: PlanPath, depth: number): boolean {
  const isVariable = depth === 1 && path[0] === "variables";
  return isVariable || (depth === 2 && path[0] === "globals" && path[1] === "prices");
}
