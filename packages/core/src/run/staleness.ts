import type { PhaseDependency, PhaseRecord, StaleCause } from "@fanfold/schemas";
import type { PlanGraph } from "../plan/plan-graph.ts";
import type { DecisionDraft } from "./decision-draft.ts";
import { isPhaseOver } from "./transitions.ts";

type RecordOf = (id: string) => PhaseRecord;

/** What a phase would be made from now: the accepted revision of each phase it is made from. */
export function currentInputs(graph: PlanGraph, record: RecordOf, id: string): PhaseDependency[] {
  return graph.inputs(id).map((phase) => {
    const { revision, artifacts = [] } = record(phase);
    return {
      phase,
      revision,
      artifact_hashes: Object.fromEntries(artifacts.map(({ name, sha256 }) => [name, sha256])),
    };
  });
}

/** The first difference between what a phase was made from and what it would be made from now; contents count, not numbers. */
export function findChangedInput(
  used: readonly PhaseDependency[],
  now: readonly PhaseDependency[],
): { phase: string; used: number; latest: number } | undefined {
  const before = new Map(used.map((dependency) => [dependency.phase, dependency]));
  for (const { phase, revision, artifact_hashes } of now) {
    const old = before.get(phase);
    if (old === undefined) return { phase, used: 0, latest: revision };
    if (old.revision === revision) continue;
    const isSame = old.revision > 0 && revision > 0 && hasSameHashes(old.artifact_hashes, artifact_hashes);
    if (!isSame) return { phase, used: old.revision, latest: revision };
  }
  return undefined;
}

function hasSameHashes(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Why the accepted revision of a phase is out of date; undefined when it is not, or when there is none. */
function staleCause(draft: DecisionDraft, id: string): StaleCause | undefined {
  const { graph } = draft.state;
  // what was spawned answered one attempt of its spawner: it is never out of date by itself
  if (graph.phase(id).spawned !== undefined) return undefined;
  const { revision, dependencies } = draft.record(id);
  if (revision === 0 || dependencies === undefined) return undefined;
  const record: RecordOf = (of) => draft.record(of);
  const known = dependencies.filter(({ phase }) => graph.has(phase));
  const changed = findChangedInput(known, currentInputs(graph, record, id));
  if (changed !== undefined) return { ...changed, turn: draft.runNow.turn };
  return known.map(({ phase }) => record(phase).stale).find((cause) => cause !== undefined);
}

/** A new revision was accepted: what was made from an earlier one is out of date, and so on down the graph. */
export function followRevision(draft: DecisionDraft, id: string): void {
  const { graph, run } = draft.state;
  refresh(draft, id);
  // where nothing was made from it yet, nobody has to look
  const isFirst = draft.record(id).revision <= 1 && run.turn === 0;
  if (isFirst && graph.dependents(id).every(({ phase }) => draft.record(phase).revision === 0)) return;
  followStaleness(draft, id);
}

/** A rerun has come to nothing: the accepted revision stays, and may be out of date. */
export function followLoss(draft: DecisionDraft, id: string): void {
  if (draft.record(id).revision > 0 && refresh(draft, id)) followStaleness(draft, id);
}

/** Looks again at what was made from a phase, and at what was made from those that have changed. */
function followStaleness(draft: DecisionDraft, id: string): void {
  const queue = [id];
  for (const source of queue) {
    for (const consumer of draft.state.graph.consumers(source)) if (refresh(draft, consumer)) queue.push(consumer);
  }
}

/**
 * Brings up to date whether the accepted revision of a phase is out of date. A phase that is going to be decided on,
 * or made again, is left alone until then.
 *
 * @returns whether it changed
 */
export function refresh(draft: DecisionDraft, id: string): boolean {
  const record = draft.record(id);
  if (!isPhaseOver(record.status) || record.if_stale === true) return false;
  const before = record.stale;
  const after = staleCause(draft, id);
  if (after === undefined) {
    if (before === undefined) return false;
    draft.amend(id, ({ stale: _stale, ...fresh }) => fresh);
    if (record.status === "succeeded")
      draft.emit({ event: "phase_refreshed", phase: id, data: { revision: record.revision } });
    return true;
  }
  if (before !== undefined && before.phase === after.phase && before.latest === after.latest) return false;
  draft.amend(id, (stale) => ({ ...stale, stale: after }));
  // once a turn, however many of its inputs change in it
  if (before === undefined || before.turn < after.turn) {
    const { phase, used, latest } = after;
    const data = { revision: record.revision, cause_phase: phase, used_revision: used, latest_revision: latest };
    draft.emit({ event: "phase_invalidated", phase: id, data });
  }
  return true;
}
