import type { CompiledDependency, CompiledPhase } from "@fanfold/schemas";
import type { Edges } from "./phase-components.ts";

/** What of a plan is to run: ids of phases, or of single instances. A field that is absent leaves nothing out. */
export interface PlanSelection {
  /** These, and nothing else. */
  readonly only?: readonly string[] | undefined;
  /** Not these. */
  readonly skip?: readonly string[] | undefined;
  /** These, and what depends on them. */
  readonly from?: readonly string[] | undefined;
  /** These, and what they depend on. */
  readonly to?: readonly string[] | undefined;
}

/** Why a phase takes no part: its own `enabled: false`, or the part of the selection that leaves it out. */
export type LeftOutReason = "disabled" | keyof PlanSelection;

/** The phases with `takes_part` and their edges settled, and why each of the others is left out. */
export interface SelectedPhases {
  readonly phases: CompiledPhase[];
  readonly leftOut: ReadonlyMap<string, LeftOutReason>;
}

/**
 * Settles which phases take part. What does not is contracted out of soft edges: whoever had a soft edge to it gets,
 * as soft edges, those of its dependencies that take part. Hard edges stay as they are.
 *
 * @param phases compiled phases whose `takes_part` says whether they are enabled
 */
export function selectPhases(phases: readonly CompiledPhase[], selection: PlanSelection): SelectedPhases {
  const table = new Map(phases.map((phase) => [phase.id, phase]));
  const leftOut = findLeftOut(phases, selection);
  const selected = phases.map((phase) => ({
    ...phase,
    takes_part: !leftOut.has(phase.id),
    depends_on: contract(phase.depends_on, table, leftOut),
  }));
  return { phases: selected, leftOut };
}

function findLeftOut(phases: readonly CompiledPhase[], selection: PlanSelection): Map<string, LeftOutReason> {
  const rows = new Map(phases.map(({ id }, row) => [id, row]));
  const upwards = phases.map(({ depends_on }) => depends_on.flatMap(({ phase }) => rows.get(phase) ?? []));
  const { only, skip, from, to } = selection;
  const reached = from === undefined ? undefined : reach(named(phases, from), reversed(upwards));
  const needed = to === undefined ? undefined : reach(named(phases, to), upwards);
  const onlyRows = only === undefined ? undefined : named(phases, only);
  const skipRows = named(phases, skip ?? []);
  const leftOut = new Map<string, LeftOutReason>();
  for (const [row, { id, takes_part }] of phases.entries()) {
    if (!takes_part) leftOut.set(id, "disabled");
    else if (skipRows.has(row)) leftOut.set(id, "skip");
    else if (onlyRows?.has(row) === false) leftOut.set(id, "only");
    else if (reached?.has(row) === false) leftOut.set(id, "from");
    else if (needed?.has(row) === false) leftOut.set(id, "to");
  }
  return leftOut;
}

/** Rows of the phases with these ids; the id of a phase with a matrix stands for all its instances. */
function named(phases: readonly CompiledPhase[], ids: readonly string[]): Set<number> {
  const wanted = new Set(ids);
  return new Set(phases.flatMap(({ id, template }, row) => (wanted.has(id) || wanted.has(template) ? [row] : [])));
}

function reversed(edges: Edges): number[][] {
  const back: number[][] = edges.map(() => []);
  for (const [row, targets] of edges.entries()) for (const target of targets) back[target]?.push(row);
  return back;
}

function reach(starts: ReadonlySet<number>, edges: Edges): Set<number> {
  const found = new Set(starts);
  for (const row of found) for (const next of edges[row] ?? []) found.add(next);
  return found;
}

type When = CompiledDependency["when"];

function contract(
  edges: readonly CompiledDependency[],
  table: ReadonlyMap<string, CompiledPhase>,
  leftOut: ReadonlyMap<string, unknown>,
): CompiledDependency[] {
  const isGone = ({ phase, kind }: CompiledDependency): boolean => kind === "soft" && leftOut.has(phase);
  if (!edges.some(isGone)) return [...edges];
  const kept = edges.filter((edge) => !isGone(edge));
  const own = new Set(kept.map(({ phase }) => phase));
  const inherited = new Map<string, When>();
  const gone = new Set(edges.filter(isGone).map(({ phase }) => phase));
  for (const id of gone) {
    for (const { phase, when } of table.get(id)?.depends_on ?? []) {
      if (leftOut.has(phase)) gone.add(phase);
      else if (!own.has(phase)) inherited.set(phase, both(inherited.get(phase), when));
    }
  }
  return [...kept, ...Array.from(inherited, ([phase, when]) => ({ phase, kind: "soft" as const, when }))];
}

/** One edge for two ways to the same phase: the stricter demand; with success and failure at once, only its end. */
function both(first: When | undefined, second: When): When {
  if (first === undefined || first === second || first === "always") return second;
  return second === "always" ? first : "always";
}
