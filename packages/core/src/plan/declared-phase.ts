import {
  ArtifactNameSchema,
  type Merge,
  MergeSchema,
  PhaseIdSchema,
  PhaseSchema,
  type Shard,
  ShardSchema,
  UNSUPPORTED_FIELDS,
} from "@fanfold/schemas";
import { MAX_INSTANCES, type MatrixReading, readMatrix } from "./matrix-points.ts";
import { NameSuggester } from "./name-suggester.ts";
import { isMap } from "./plan-path.ts";

/** A name in one of a phase's lists, with its index there. */
export interface ListedName {
  readonly name: string;
  readonly at: number;
}

/** What can be read of a list of names, and whether that is all of it. */
export interface ListedNames {
  readonly names: readonly ListedName[];
  readonly isComplete: boolean;
}

/** The keys of a map. */
export interface DeclaredKeys {
  readonly written: ReadonlySet<string>;
  /** The written ones, and for each misspelt one the key that was evidently meant. */
  readonly meant: ReadonlySet<string>;
}

/** What can be read of `shard`. */
export interface DeclaredShard {
  readonly keys: DeclaredKeys;
  readonly strategy: Shard["strategy"] | undefined;
  /** The artifact that is cut, when it is one. */
  readonly overArtifact: string | undefined;
}

/** A pattern of files to collect. */
export interface CollectedPattern {
  readonly pattern: string;
  readonly path: readonly (string | number)[];
}

/** What can be read of `merge`. */
export interface DeclaredMerge {
  readonly keys: DeclaredKeys;
  readonly strategy: Merge["strategy"] | undefined;
  readonly isComplete: boolean;
  readonly key: readonly string[];
  readonly handler: string | undefined;
}

/**
 * As much of a phase as can be read, right or wrong in the rest. The checks of meaning run on it, so that one bad
 * field does not hide the faults of the others, and does not make up faults that are not there.
 */
export interface DeclaredPhase {
  readonly index: number;
  readonly id: string | undefined;
  readonly keys: DeclaredKeys;
  readonly dependsOn: ListedNames;
  readonly consumes: ListedNames;
  readonly provides: ListedNames;
  readonly cwd: string | undefined;
  readonly handler: string | undefined;
  /** Patterns of files to collect, with their place below `collect`, and whether stdout's last line is asked for. */
  readonly collected: readonly CollectedPattern[];
  readonly isFinalLine: boolean;
  readonly condition: string | undefined;
  /** Exit codes of `retry_on_exit_codes` and of `non_retryable_exit_codes`. */
  readonly retried: readonly number[];
  readonly neverRetried: readonly number[];
  /** `max_failed_shards` where it is a percentage. */
  readonly tolerance: string | undefined;
  readonly matrix: MatrixReading | undefined;
  readonly shard: DeclaredShard | undefined;
  readonly merge: DeclaredMerge | undefined;
}

interface Reader<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}

type NameReader = (item: unknown) => string | undefined;

const PHASE_KEYS = new Set([...Object.keys(PhaseSchema.shape), ...UNSUPPORTED_FIELDS.phase]);
const SHARD_KEYS = new Set(Object.keys(ShardSchema.shape));
const MERGE_KEYS = new Set(Object.keys(MergeSchema.shape));

/** Reads what can be read of a plan's phases; entries that are not even maps are left out. */
export function readDeclaredPhases(phases: unknown): DeclaredPhase[] {
  if (!Array.isArray(phases)) return [];
  const readWithin = matrixReader();
  return phases.flatMap((phase: unknown, index) => (isMap(phase) ? [readPhase(phase, index, readWithin)] : []));
}

/** Reads matrices until they make too many instances: that one is told so, and what follows is left unread. */
function matrixReader(): typeof readMatrix {
  let instanceCount = 0;
  return (value) => {
    const reading =
      instanceCount > MAX_INSTANCES ? { dimensions: [], points: undefined, faults: [] } : readMatrix(value);
    const isOver = instanceCount <= MAX_INSTANCES && instanceCount + (reading.points?.length ?? 0) > MAX_INSTANCES;
    instanceCount += reading.points?.length ?? 0;
    if (!isOver) return reading;
    const message = `matrix brings the plan to ${instanceCount} instances, more than ${MAX_INSTANCES}`;
    return { ...reading, points: undefined, faults: [{ code: "TOO_LARGE", message, path: [] }] };
  };
}

function readPhase(phase: Record<string, unknown>, index: number, readWithin: typeof readMatrix): DeclaredPhase {
  const keys = readKeys(phase, PHASE_KEYS);
  const readArtifact = (item: unknown): string | undefined => read(ArtifactNameSchema, item);
  const list = (key: "depends_on" | "consumes" | "provides", readName: NameReader): ListedNames =>
    phase[key] === undefined ? { names: [], isComplete: !keys.meant.has(key) } : readNames(phase[key], readName);
  return {
    index,
    id: read(PhaseIdSchema, phase["id"]),
    keys,
    dependsOn: list("depends_on", readDependency),
    consumes: list("consumes", readArtifact),
    provides: list("provides", readArtifact),
    cwd: read(PhaseSchema.shape.cwd, phase["cwd"]),
    handler: read(PhaseSchema.shape.handler, phase["handler"]),
    ...readCollect(phase["collect"]),
    condition: read(PhaseSchema.shape.condition, phase["condition"]),
    retried: read(PhaseSchema.shape.retry_on_exit_codes, phase["retry_on_exit_codes"]) ?? [],
    neverRetried: read(PhaseSchema.shape.non_retryable_exit_codes, phase["non_retryable_exit_codes"]) ?? [],
    tolerance: readPercentage(phase["max_failed_shards"]),
    matrix: phase["matrix"] === undefined ? undefined : readWithin(phase["matrix"]),
    shard: isMap(phase["shard"]) ? readShard(phase["shard"]) : undefined,
    merge: isMap(phase["merge"]) ? readMerge(phase["merge"]) : undefined,
  };
}

function readCollect(collect: unknown): Pick<DeclaredPhase, "collected" | "isFinalLine"> {
  const isList = Array.isArray(collect);
  const rules: readonly unknown[] = isList ? collect : [collect];
  const collected = rules.flatMap((rule, at) => {
    const files: unknown = isMap(rule) ? rule["files"] : undefined;
    if (!Array.isArray(files)) return [];
    return files.flatMap((pattern: unknown, index) =>
      typeof pattern === "string" ? [{ pattern, path: [...(isList ? [at] : []), "files", index] }] : [],
    );
  });
  return { collected, isFinalLine: rules.includes("stdout_final") };
}

function readPercentage(value: unknown): string | undefined {
  const tolerance = read(PhaseSchema.shape.max_failed_shards, value);
  return typeof tolerance === "string" ? tolerance : undefined;
}

function readShard(shard: Record<string, unknown>): DeclaredShard {
  return {
    keys: readKeys(shard, SHARD_KEYS),
    strategy: read(ShardSchema.shape.strategy, shard["strategy"]),
    overArtifact: read(ArtifactNameSchema, shard["over"]),
  };
}

function readMerge(merge: Record<string, unknown>): DeclaredMerge {
  const strategy = read(MergeSchema.shape.strategy, merge["strategy"]);
  return {
    keys: readKeys(merge, MERGE_KEYS),
    strategy,
    isComplete: merge["complete"] === true,
    key: [read(MergeSchema.shape.key, merge["key"]) ?? []].flat(),
    handler: read(MergeSchema.shape.handler, merge["handler"]),
  };
}

function readDependency(item: unknown): string | undefined {
  return read(PhaseIdSchema, isMap(item) ? item["phase"] : item);
}

function readKeys(map: Record<string, unknown>, known: ReadonlySet<string>): DeclaredKeys {
  const written = new Set(Object.keys(map).filter((key) => map[key] !== undefined));
  const misspelt = [...written].filter((key) => !known.has(key));
  if (misspelt.length === 0) return { written, meant: written };
  const suggester = new NameSuggester(known);
  return { written, meant: new Set([...written, ...misspelt.map((key) => suggester.closest(key) ?? key)]) };
}

/** A single name where a list belongs is an error of structure, but what it means is clear. */
function readNames(list: unknown, readName: NameReader): ListedNames {
  const items: readonly unknown[] = Array.isArray(list) ? list : [list];
  const names: ListedName[] = [];
  for (const [at, item] of items.entries()) {
    const name = readName(item);
    if (name !== undefined) names.push({ name, at });
  }
  return { names, isComplete: names.length === items.length };
}

function read<T>(schema: Reader<T>, value: unknown): T | undefined {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}
