import type { PhaseRecord } from "@fanfold/schemas";
import type { DecisionDraft } from "./decision-draft.ts";
import { skip } from "./leave-out.ts";
import { planRerun } from "./plan-rerun.ts";
import { phaseReadiness } from "./readiness.ts";
import { carryRunOn } from "./reopen-phase.ts";
import type { Trigger } from "./run-state.ts";
import { currentInputs, findChangedInput, refresh } from "./staleness.ts";

/** Runs phases of a run again on purpose: what they gave so far stays in force until a new revision is accepted. */
export function rerun(draft: DecisionDraft, { request, actor, unfinished }: Trigger & { type: "rerun" }): void {
  const { steps, problems } = planRerun(draft.state, request);
  const isNew = [...request.changed.keys()].some((id) => draft.record(id).status === "pending");
  if (problems.length > 0 || (steps.length === 0 && !isNew)) return;
  const turn = draft.runNow.turn + 1;
  carryRunOn(draft, { phase: null, actor });
  draft.changeRun({ turn });
  for (const { phase, kind, why } of steps) {
    if (kind === "if_stale") draft.amend(phase, (record) => ({ ...record, turn, if_stale: true }));
    else {
      const isAskedFor = request.phases.includes(phase) || request.reach === "downstream";
      begin(draft, phase, { turn, why, actor, isAskedFor, shards: unfinished.get(phase) });
    }
    draft.affects([phase]);
  }
  // phases that a changed plan adds are pending already
  for (const id of draft.state.graph.ids) {
    if (draft.record(id).status !== "pending") continue;
    if (draft.state.graph.phase(id).takes_part || draft.record(id).turn !== undefined) draft.affects([id]);
    else skip(draft, id, { code: "not_selected" });
  }
}

interface Beginning {
  readonly turn: number;
  readonly why: string;
  readonly actor?: string;
  /** Somebody named it: then nothing of it is reused. */
  readonly isAskedFor?: boolean;
  /** Shards of a making that is left from before. */
  readonly shards?: number | undefined;
}

/** The phase waits for its dependencies as if it had never run; its accepted output stays in force. */
function begin(draft: DecisionDraft, id: string, beginning: Beginning): void {
  const { turn, why, actor, isAskedFor = false, shards } = beginning;
  const { status, revision } = draft.record(id);
  if (status === "running") return;
  if (status === "pending") {
    // the run was stopped because of it, and goes on
    draft.amend(id, (record) => ({ ...record, turn }));
    return;
  }
  if (status === "succeeded") draft.archive(id);
  draft.move(id, "pending", {});
  draft.amend(id, ({ started_at_ms: _started, making: _making, if_stale: _flag, afresh: _afresh, ...kept }) => ({
    ...kept,
    turn,
    ...(isAskedFor ? { afresh: true as const } : {}),
  }));
  if (shards !== undefined) draft.ask({ kind: "discard_making", phase: id, revision: revision + 1, shards });
  draft.emit({ event: "phase_rerun", phase: id, data: { why, turn, ...(actor === undefined ? {} : { actor }) } });
}

/**
 * A phase that is to run again only if what it was made from has changed: once its dependencies are over, this is
 * known. It then waits to start, or what it gave stays. In a run that is stopped nothing is begun.
 */
export function decideIfStale(draft: DecisionDraft, id: string): void {
  const { graph } = draft.state;
  if (draft.runNow.stop !== null) return leaveAsItIs(draft, id);
  const record = (of: string): PhaseRecord => draft.record(of);
  const verdict = phaseReadiness(graph.phase(id), record(id), record, (of) => graph.phase(of));
  if (verdict.kind === "waits") return;
  const { revision, dependencies = [], turn = draft.runNow.turn } = record(id);
  const now = currentInputs(graph, record, id);
  const changed = verdict.kind === "never" ? undefined : findChangedInput(dependencies, now);
  if (changed !== undefined) {
    const why = `its input has changed: ${changed.phase} r${changed.used} → r${changed.latest}`;
    begin(draft, id, { turn, why });
    return;
  }
  leaveAsItIs(draft, id);
  if (verdict.kind === "never") return;
  draft.amend(id, (kept) => ({ ...kept, dependencies: now }));
  refresh(draft, id);
  draft.emit({ event: "phase_reused", phase: id, data: { revision, why: "what it was made from has not changed" } });
}

/** A phase is no longer asked whether it has to run again. */
export function leaveAsItIs(draft: DecisionDraft, id: string): void {
  draft.amend(id, ({ if_stale: _flag, ...kept }) => kept);
  refresh(draft, id);
}
