import type { ArrangedPhase } from "./arranged-phase.ts";
import { type AuthoredEdge, contractEdges, type EdgesOf, readEdges } from "./contract-edges.ts";
import type { StageMembers } from "./expand-stages.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { PlanDraft } from "./plan-draft.ts";
import { isMap } from "./plan-path.ts";
import type { PlanPath } from "./plan-problem.ts";

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\bvars\.([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * Takes phases out of a plan before it is compiled. Who depended on one of them inherits what that one depended on, over
 * several of them where they follow each other.
 *
 * @param exclude ids of phases, or of stages, which stand for all their phases
 */
export function excludePhases(draft: PlanDraft, stages: StageMembers, exclude: readonly string[]): void {
  if (exclude.length === 0) return;
  const phases = draft.arranged();
  const ids = new Set(phases.flatMap(({ value }) => idOf(value) ?? []));
  reportUnknown(draft, exclude, { ids, stages });
  const gone = new Set(exclude.flatMap((name) => (ids.has(name) ? [name] : (stages.get(name) ?? []))));
  const removed = phases.filter(({ value }) => gone.has(idOf(value) ?? ""));
  if (removed.length === 0) return;
  const table = new Map(removed.map(({ value }) => [idOf(value) ?? "", readEdges(value) ?? []]));
  const edgesOf: EdgesOf = (id) => table.get(id);
  const kept = phases.filter(({ value }) => !gone.has(idOf(value) ?? ""));
  if (kept.length === 0) {
    draft.add({ code: "EMPTY_SELECTION", message: "exclude leaves no phase", path: [], isOutside: true });
    return;
  }
  draft.arrange(kept.map((phase) => contract(phase, phases.indexOf(phase), { edgesOf, draft })));
  draft.excluded = {
    phases: gone,
    artifacts: new Map(removed.flatMap(({ value }) => providedBy(value).map((name) => [name, idOf(value) ?? ""]))),
    variables: variablesIn(removed.map(({ value }) => value)),
  };
}

function reportUnknown(
  draft: PlanDraft,
  exclude: readonly string[],
  { ids, stages }: { ids: ReadonlySet<string>; stages: StageMembers },
): void {
  const suggester = new NameSuggester([...ids, ...stages.keys()]);
  for (const name of exclude) {
    if (ids.has(name) || stages.has(name)) continue;
    const message = `exclude names "${name}", but no phase${stages.size > 0 ? " and no stage" : ""} has that id`;
    draft.add({ code: "UNKNOWN_SELECTION", message, path: [], isOutside: true, hint: suggester.hint(name) });
  }
}

/** The phase with its edges to excluded ones replaced. One whose `depends_on` cannot be read is left to the checks. */
function contract(
  phase: ArrangedPhase,
  index: number,
  { edgesOf, draft }: { edgesOf: EdgesOf; draft: PlanDraft },
): ArrangedPhase {
  const { value, origin } = phase;
  const edges = readEdges(value);
  if (!isMap(value) || edges === undefined || edges.every(({ phase: id }) => edgesOf(id) === undefined)) return phase;
  const { kept, failures } = contractEdges(edges, edgesOf);
  const placeOf = ({ at }: AuthoredEdge): PlanPath => phase.edges?.[at] ?? [...origin, "depends_on", at];
  for (const { edge, target } of failures) {
    const message = `phase "${idOf(value) ?? ""}": waits for "${target}" to fail, which is excluded`;
    const hint = "exclude this phase too";
    draft.add({ code: "EXCLUDED", message, path: ["phases", index, "depends_on", edge.at], hint });
  }
  const depends_on = kept.map(({ phase: id, kind, when }) =>
    kind === "hard" && when === "success" ? id : { phase: id, kind, when },
  );
  return { value: { ...value, depends_on }, origin, edges: kept.map(placeOf) };
}

function providedBy(phase: unknown): string[] {
  const provides = isMap(phase) ? phase["provides"] : undefined;
  const names = (Array.isArray(provides) ? provides : []).filter((name) => typeof name === "string");
  return names.length > 0 ? names : [idOf(phase) ?? ""];
}

function variablesIn(values: readonly unknown[]): Set<string> {
  const names = new Set<string>();
  const seen = new Set<unknown>();
  const open: unknown[] = [...values];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === "string") {
      for (const [, reference, field] of next.matchAll(VARIABLE)) names.add(reference ?? field ?? "");
    } else if (typeof next === "object" && next !== null && !seen.has(next)) {
      seen.add(next);
      for (const value of Object.values(next)) open.push(value);
    }
  }
  return names;
}

function idOf(phase: unknown): string | undefined {
  const id = isMap(phase) ? phase["id"] : undefined;
  return typeof id === "string" ? id : undefined;
}
