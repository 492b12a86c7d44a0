import { createHash } from "node:crypto";
import type { CompiledPhase, PrintParts, ReuseRule } from "@fanfold/schemas";
import { canonicalJson, type JsonValue } from "../jsonl/json-value.ts";

/** Version of the encoding below: whoever changes what goes into a fingerprint raises it. */
const FORMAT = 1;

/** What of a run the output of a phase's shards depends on, besides the phase and its records. */
export interface PrintSurroundings {
  /** Directory of the plan's file, relative to the workspace. */
  readonly baseDir: string;
  /** `globals.env`. */
  readonly env: Readonly<Record<string, string>>;
  /** sha256 of each consumed artifact, by name and then by the label of its source; null for one that is not there. */
  readonly consumed: ReadonlyMap<string, ReadonlyMap<string, string | null>>;
}

/**
 * Hashes of everything the output of a phase's shards depends on, their records apart.
 *
 * What is left out, because no output may depend on it: run, revision and attempt, the index and the number of the
 * shards, and how the phase is scheduled, limited and retried. An artifact that the phase is cut from counts by the
 * records of the shard, also where the phase consumes it.
 *
 * @param rule the phase's own
 */
export function printParts(phase: CompiledPhase, rule: ReuseRule, surroundings: PrintSurroundings): PrintParts {
  const { baseDir, env, consumed } = surroundings;
  const over = phase.shard?.over;
  const others = [...consumed].filter(([name]) => name !== over);
  return {
    format: FORMAT,
    work: hashOf(["work", workOf(phase, baseDir)]),
    code: hashOf(rule.version === null ? ["files", { ...rule.code }] : ["version", rule.version]),
    env: hashOf(["env", { ...env, ...phase.env }]),
    key: hashOf(["key", rule.key]),
    consumes: Object.fromEntries(others.map(([name, sources]) => [name, hashOf(Object.fromEntries(sources))])),
  };
}

/** Hash of the parts of a phase: the part of a fingerprint that all its shards have in common. */
export function phasePrint(parts: PrintParts): string {
  return hashOf(["phase", { ...parts, consumes: { ...parts.consumes } }]);
}

/**
 * Fingerprint of a shard: two shards that have the same one have the same output.
 *
 * @param print     {@link phasePrint} of its phase
 * @param records   sha256 of the bytes of its records, null when the phase is not sharded
 */
export function shardFingerprint(print: string, records: string | null): string {
  return hashOf(["shard", print, records]);
}

/** The work, and what decides how its output is read and checked. The work sees the name of its phase. */
function workOf({ id, work, cwd, matrix, merge, provides, collect, shard }: CompiledPhase, baseDir: string): JsonValue {
  return {
    phase: id,
    base_dir: baseDir,
    cwd,
    work: { ...work },
    matrix: { ...matrix },
    merge: merge.strategy,
    key: merge.strategy === "records" ? merge.key : [],
    artifacts: shard === null ? provides.slice(1) : [],
    is_sharded: shard !== null,
    ...(collect === undefined ? {} : { collect: { ...collect } }),
  };
}

function hashOf(value: JsonValue): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
