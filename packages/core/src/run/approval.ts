import type { CompiledPhase, PhaseRecord } from "@fanfold/schemas";

/** Whether a phase is a question to a person: it has no shards, no ledger entry and no job. */
export function isApproval({ work }: Pick<CompiledPhase, "work">): boolean {
  return work.kind === "approval";
}

/** Whether a phase waits for a person now. */
export function awaitsApproval({ status, asked }: PhaseRecord): boolean {
  return status === "running" && asked !== undefined;
}
