import type { CompiledPhase } from "@fanfold/schemas";
import type { DecisionDraft } from "./decision-draft.ts";

/** Asks for an approval: nothing of it goes on a queue, only the end of the wait where it has one. */
export function askForApproval(draft: DecisionDraft, id: string): void {
  const phase = draft.state.graph.phase(id);
  const revision = draft.record(id).revision + 1;
  const within = phase.answer_within_sec;
  const untilMs = within === undefined ? undefined : draft.nowMs + Math.max(1, Math.round(within * 1_000));
  const asked = { at_ms: draft.nowMs, ...(untilMs === undefined ? {} : { until_ms: untilMs }) };
  draft.amend(id, (record) => ({ ...record, asked }));
  const data = { revision, message: messageOf(phase), until_ms: untilMs ?? null };
  draft.emit({ event: "approval_requested", phase: id, data });
  if (untilMs !== undefined) draft.ask({ kind: "schedule_approval_timeout", phase: id, revision, at_ms: untilMs });
}

function messageOf({ work }: CompiledPhase): string | null {
  return work.kind === "approval" ? work.message : null;
}
