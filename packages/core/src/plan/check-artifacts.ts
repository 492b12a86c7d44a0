import type { DependencyEdges } from "./check-dependencies.ts";
import type { DeclaredPhase } from "./declared-phase.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PhaseTable } from "./phase-table.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanPath } from "./plan-problem.ts";
import { Reachability } from "./reachability.ts";

interface Provider {
  readonly row: number;
  readonly path: PlanPath;
}

interface Need {
  readonly name: string;
  readonly row: number;
  readonly path: PlanPath;
}

interface ProvidedNeed extends Need {
  readonly provider: number;
}

/** Reports artifacts that two phases provide, that none does, or that are not made before they are read. */
export function checkArtifacts(table: PhaseTable, dependencies: DependencyEdges, draft: PlanDraft): void {
  const providers = collectProviders(table, draft);
  const areAllKnown = areProvidersKnown(table, draft);
  const suggester = new NameSuggester(providers.keys());
  const provided: ProvidedNeed[] = [];
  for (const need of listNeeds(table)) {
    const provider = providers.get(need.name)?.row;
    if (provider !== undefined) provided.push({ ...need, provider });
    else if (areAllKnown) reportUnknown(need, suggester, draft);
  }
  checkOrder(provided, table, dependencies, draft);
}

/** Whether every phase tells what it provides; otherwise an artifact that seems to be missing may just be unreadable. */
function areProvidersKnown(table: PhaseTable, draft: PlanDraft): boolean {
  const list = draft.value["phases"];
  if (!Array.isArray(list) || list.length > table.phases.length) return false;
  return table.phases.every(
    ({ id, provides }) => provides.isComplete && (id !== undefined || provides.names.length > 0),
  );
}

function collectProviders(table: PhaseTable, draft: PlanDraft): Map<string, Provider> {
  const providers = new Map<string, Provider>();
  for (const row of table.phases.keys()) {
    for (const { name, path } of listProvided(row, table)) {
      const first = providers.get(name);
      if (first === undefined) providers.set(name, { row, path });
      else reportTwoProviders(name, path, first, draft);
    }
  }
  return providers;
}

/** A phase that declares nothing provides its own id. Of two phases with one id only the first counts. */
function listProvided(row: number, table: PhaseTable): { name: string; path: PlanPath }[] {
  const phase = table.phases[row];
  if (phase === undefined) return [];
  const { names, isComplete } = phase.provides;
  const ownId = table.findOwnId(row);
  if (names.length === 0 && isComplete && ownId !== undefined) {
    return [{ name: ownId, path: ["phases", phase.index, "id"] }];
  }
  return names.map(({ name, at }) => ({ name, path: ["phases", phase.index, "provides", at] }));
}

function reportTwoProviders(name: string, path: PlanPath, first: Provider, draft: PlanDraft): void {
  const message = `${draft.prefix(path)}artifact "${name}" is already provided at ${draft.describePlace(first.path)}`;
  draft.add({ code: "DUPLICATE_ARTIFACT", message, path, hint: "give each artifact one phase that provides it" });
}

function* listNeeds(table: PhaseTable): Generator<Need> {
  for (const [row, phase] of table.phases.entries()) {
    for (const { name, at } of phase.consumes.names) yield { name, row, path: ["phases", phase.index, "consumes", at] };
    const over = phase.shard?.overArtifact;
    if (over !== undefined) yield { name: over, row, path: ["phases", phase.index, "shard", "over"] };
  }
}

function reportUnknown(need: Need, suggester: NameSuggester, draft: PlanDraft): void {
  const message = `${draft.prefix(need.path)}reads "${need.name}", but no phase provides it`;
  draft.add({ code: "UNKNOWN_ARTIFACT", message, path: need.path, hint: suggester.hint(need.name) });
}

/**
 * Direct dependencies answer most needs; the rest of the graph is looked at only for those they do not. A phase
 * whose dependencies are not all known gets an edge to a node that stands for them: what leads there is left in doubt.
 */
function checkOrder(
  needs: readonly ProvidedNeed[],
  table: PhaseTable,
  dependencies: DependencyEdges,
  draft: PlanDraft,
) {
  const { edges, incompleteRows } = dependencies;
  const direct = edges.map((targets) => new Set(targets));
  const indirect = needs.filter(({ row, provider }) => direct[row]?.has(provider) !== true);
  if (indirect.length === 0) return;
  const doubt = edges.length;
  const doubtful = edges.map((targets, row) => (incompleteRows.has(row) ? [...targets, doubt] : targets));
  const upstream = new Reachability([...doubtful, []], [doubt, ...indirect.map(({ provider }) => provider)]);
  const late = indirect.filter(
    ({ row, provider }) => !upstream.reaches(row, provider) && !upstream.reaches(row, doubt),
  );
  const readers = new Set(late.map(({ row }) => row));
  const downstream = new Reachability(edges, readers);
  for (const need of late) reportLate(need, downstream.reaches(need.provider, need.row), table.phases, draft);
}

function reportLate(need: ProvidedNeed, isProvidedLater: boolean, phases: readonly DeclaredPhase[], draft: PlanDraft) {
  const prefix = draft.prefix(need.path);
  const provider = phases[need.provider]?.id ?? "";
  const place = { code: "ARTIFACT_NOT_UPSTREAM", path: need.path } as const;
  if (need.provider === need.row) {
    draft.add({ ...place, message: `${prefix}reads "${need.name}", which it provides itself` });
  } else if (isProvidedLater) {
    const message = `${prefix}reads "${need.name}", but "${provider}", which provides it, runs after this phase`;
    draft.add({ ...place, message });
  } else {
    const message = `${prefix}reads "${need.name}", but does not depend on "${provider}", which provides it`;
    draft.add({ ...place, message, hint: `add "${provider}" to depends_on` });
  }
}
