import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";
import { canonicalJson, type JsonValue } from "../jsonl/json-value.ts";
import type { PartName } from "./differing-parts.ts";

/** A phase with the plan it belongs to. */
export interface PhaseOfPlan {
  readonly plan: CompiledPlan;
  readonly phase: CompiledPhase;
}

/**
 * What it is that differs in a part of two fingerprints: fields of the work, files, versions, names of variables. No
 * value of a variable is told. Empty where there is nothing more to say.
 */
export function partDetails(part: PartName, one: PhaseOfPlan, other: PhaseOfPlan): string[] {
  if (part === "work") return differingKeys(workFields(one), workFields(other));
  if (part === "env") return differingKeys(envOf(one), envOf(other));
  return part === "code" ? codeDetails(one.phase, other.phase) : [];
}

function codeDetails({ reuse: one }: CompiledPhase, { reuse: other }: CompiledPhase): string[] {
  const versions = [other?.version ?? null, one?.version ?? null];
  if (versions.some((version) => version !== null)) {
    return [versions.map((version) => (version === null ? "files" : `version ${version}`)).join(" → ")];
  }
  return differingKeys(one?.code ?? {}, other?.code ?? {});
}

function workFields({ plan, phase }: PhaseOfPlan): Record<string, JsonValue> {
  const { kind: _kind, ...work } = phase.work;
  const { strategy: merge } = phase.merge;
  const key = phase.merge.strategy === "records" ? phase.merge.key : [];
  return {
    ...work,
    cwd: phase.cwd,
    base_dir: plan.base_dir,
    merge,
    key,
    provides: phase.provides,
    collect: { ...phase.collect },
  };
}

function envOf({ plan, phase }: PhaseOfPlan): Record<string, string> {
  return { ...plan.env, ...phase.env };
}

function differingKeys(one: Readonly<Record<string, JsonValue>>, other: Readonly<Record<string, JsonValue>>): string[] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].filter((key) => textOf(one[key]) !== textOf(other[key])).sort();
}

function textOf(value: JsonValue | undefined): string {
  return value === undefined ? "" : canonicalJson(value);
}
