import type { PhaseRecord } from "@fanfold/schemas";
import { wasLeftOut } from "../../src/run/reopening.ts";
import type { Trigger } from "../../src/run/run-state.ts";
import type { Shard } from "./simulated-entry.ts";

const BEFORE_SHARDS = new Set(["expansion_failed", "condition_failed", "approval_rejected", "approval_timeout"]);

/** As the engine sees it: nothing of it but a re-opening is needed. */
export function failedBeforeItsShards(record: PhaseRecord): boolean {
  const { status, cause } = record;
  if (status === "failed") return BEFORE_SHARDS.has(cause?.code ?? "");
  return wasLeftOut(record);
}

/** Each third revision is the same as the one before. */
export function contentOf(revision: number): string {
  return String((revision % 3 === 0 ? revision - 1 : revision) % 10);
}

export function isAtWork(shard: Shard): boolean {
  return shard === "queued" || shard === "running" || shard === "dying";
}

export function isRetryable(shard: Shard): boolean {
  return shard === "failed" || shard === "cancelled";
}

export function triggerText(trigger: Trigger): string {
  return "phase" in trigger ? `${trigger.type} ${trigger.phase}` : trigger.type;
}

export function resumeText({ phase, revision }: { phase: string; revision: number }): string {
  return `resume_release ${phase}.r${revision}`;
}
