import { checkUpstream, type UpstreamNeed } from "./check-upstream.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PhaseTable } from "./phase-table.ts";
import type { PlanDraft } from "./plan-draft.ts";
import type { PlanOutline } from "./plan-outline.ts";
import type { PlanPath } from "./plan-problem.ts";

interface Provider {
  readonly row: number;
  readonly path: PlanPath;
}

interface Need {
  readonly name: string;
  readonly row: number;
  readonly path: PlanPath;
  /** Whether it is cut into shards, and so has to be one artifact. */
  readonly isCut: boolean;
}

/** Reports artifacts that two phases provide, that none does, or that are not made before they are read. */
export function checkArtifacts(outline: PlanOutline, draft: PlanDraft): void {
  const { table } = outline;
  const providers = collectProviders(table, draft);
  const areAllKnown = areProvidersKnown(table, draft);
  const suggester = new NameSuggester(providers.keys());
  const provided: UpstreamNeed[] = [];
  for (const need of listNeeds(table)) {
    const provider = providers.get(need.name)?.row;
    if (provider !== undefined) {
      const verb = `reads "${need.name}"`;
      const { row, path } = need;
      provided.push({ row, path, provider, verb, relation: ", which provides it", code: "ARTIFACT_NOT_UPSTREAM" });
      checkSources(need, provider, outline, draft);
    } else if (areAllKnown) reportUnknown(need, suggester, draft);
  }
  checkUpstream(provided, outline, draft);
}

/** Row of the phase that provides each artifact of a plan without problems. */
export function findProviders(table: PhaseTable): ReadonlyMap<string, number> {
  return new Map(
    [...table.phases.keys()].flatMap((row) => listProvided(row, table).map(({ name }) => [name, row] as const)),
  );
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
    for (const { name, at } of phase.consumes.names) {
      yield { name, row, path: ["phases", phase.index, "consumes", at], isCut: false };
    }
    const over = phase.shard?.overArtifact;
    if (over !== undefined) yield { name: over, row, path: ["phases", phase.index, "shard", "over"], isCut: true };
    const { forEach } = phase;
    if (forEach === undefined) continue;
    yield { name: forEach.artifact, row, path: ["phases", phase.index, ...forEach.path], isCut: true };
  }
}

function reportUnknown(need: Need, suggester: NameSuggester, draft: PlanDraft): void {
  const excluded = draft.excluded.artifacts.get(need.name);
  if (excluded !== undefined) {
    const message = `${draft.prefix(need.path)}reads "${need.name}", which only "${excluded}" provides, and that is excluded`;
    draft.add({ code: "EXCLUDED", message, path: need.path, hint: "exclude this phase too" });
    return;
  }
  const message = `${draft.prefix(need.path)}reads "${need.name}", but no phase provides it`;
  draft.add({ code: "UNKNOWN_ARTIFACT", message, path: need.path, hint: suggester.hint(need.name) });
}

/** With a matrix on either side, an artifact has as many sources as instances of its provider belong to the reader. */
function checkSources(
  { name, row, path, isCut }: Need,
  provider: number,
  outline: PlanOutline,
  draft: PlanDraft,
): void {
  const { instances, table } = outline;
  const points = instances.points(row);
  if (points === undefined || instances.points(provider) === undefined || row === provider) return;
  const counts = points.map((point) => instances.sources(row, point, provider).length);
  const owner = table.phases[provider]?.id ?? "";
  const prefix = draft.prefix(path);
  const most = counts.reduce((max, count) => Math.max(max, count), 0);
  if (isCut && most > 1) {
    const open = instances.dimensions(provider).filter((dimension) => !instances.dimensions(row).includes(dimension));
    const message = `${prefix}${draft.fieldName(path)} "${name}" would join ${most} instances of "${owner}"`;
    const hint = `give this phase the dimension ${open.join(" and ")} too, or put a phase in between that folds them into one`;
    draft.add({ code: "OVER_JOINS", message, path, hint });
  }
  const isDirect = outline.dependencies.edges[row]?.includes(provider) === true;
  const alone = counts.indexOf(0);
  if (alone < 0 || isDirect) return;
  const message = `${prefix}${outline.instanceName(row, alone)} reads "${name}", but no instance of "${owner}" belongs to it`;
  draft.add({ code: "NO_INSTANCE", message, path });
}
