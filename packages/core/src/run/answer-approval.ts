import type { Cause, CompiledPhase } from "@fanfold/schemas";
import { awaitsApproval } from "./approval.ts";
import type { DecisionDraft } from "./decision-draft.ts";
import { phaseSucceeded } from "./end-phase.ts";
import { fail } from "./fail-phase.ts";
import type { Trigger } from "./run-state.ts";

/** What somebody answered. */
export interface ApprovalAnswer {
  readonly approved: boolean;
  /** Empty where nothing was said. */
  readonly comment: string;
  readonly actor: string;
}

/** The first answer counts: the phase has succeeded, with the answer as its output, or failed. */
export function approve(draft: DecisionDraft, trigger: Trigger & { type: "approve" }): void {
  const { phase, revision, answer, artifact } = trigger;
  if (!isAskedFor(draft, phase, revision)) return;
  const { approved, comment, actor } = answer;
  draft.emit({ event: "approval_given", phase, data: { revision, approved, comment, actor } });
  if (approved) {
    return phaseSucceeded(draft, {
      type: "phase_succeeded",
      phase,
      revision,
      artifacts: [artifact],
      toleratedShards: 0,
    });
  }
  end(draft, phase, { code: "approval_rejected", message: rejection(answer) });
}

/** Nobody has answered in time; a time that was set for an earlier question has no effect. */
export function approvalTimedOut(draft: DecisionDraft, trigger: Trigger & { type: "approval_timeout" }): void {
  const { phase, revision, atMs } = trigger;
  if (!isAskedFor(draft, phase, revision) || draft.record(phase).asked?.until_ms !== atMs) return;
  const within = draft.state.graph.phase(phase).answer_within_sec;
  const message = within === undefined ? "nobody answered in time" : `nobody answered within ${within} s`;
  end(draft, phase, { code: "approval_timeout", message });
}

function isAskedFor(draft: DecisionDraft, phase: string, revision: number): boolean {
  const record = draft.record(phase);
  return awaitsApproval(record) && record.revision + 1 === revision;
}

function end(draft: DecisionDraft, phase: string, cause: Cause): void {
  fail(draft, phase, cause, 0);
  draft.affectsWhatWaits(phase);
}

function rejection({ actor, comment }: ApprovalAnswer): string {
  return comment === "" ? `rejected by ${actor}` : `rejected by ${actor}: ${comment}`;
}

/** Text of the output of a phase that was approved. @param atMs when, Unix ms */
export function approvalOutput({ approved, comment, actor }: ApprovalAnswer, atMs: number): string {
  const at = new Date(atMs).toISOString();
  return `${JSON.stringify({ approved, comment, by: actor, at })}\n`;
}

/** Name under which the answer is an artifact. */
export function approvalArtifactName({ id, provides }: CompiledPhase): string {
  return provides[0] ?? id;
}
