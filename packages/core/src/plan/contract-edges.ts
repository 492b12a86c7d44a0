import type { CompiledDependency } from "@fanfold/schemas";
import { isMap } from "./plan-path.ts";

/** An entry of `depends_on`, in its long form. */
export interface AuthoredEdge extends CompiledDependency {
  /** Index of the entry it is, or comes from. */
  readonly at: number;
}

/** Edges of a phase that is to go; undefined for one that stays. */
export type EdgesOf = (phase: string) => readonly AuthoredEdge[] | undefined;

/** What is left of the edges of one phase. */
export interface ContractedEdges {
  readonly kept: readonly AuthoredEdge[];
  /** Edges that wait for the failure of a phase that goes, and so for nothing. */
  readonly failures: readonly { readonly edge: AuthoredEdge; readonly target: string }[];
}

type When = CompiledDependency["when"];

/** Entries of `depends_on` of a phase that nobody has checked; undefined where one of them cannot be read. */
export function readEdges(phase: unknown): AuthoredEdge[] | undefined {
  const list = isMap(phase) ? (phase["depends_on"] ?? []) : undefined;
  if (!Array.isArray(list)) return undefined;
  const edges = list.flatMap((entry: unknown, at) => readEdge(entry, at) ?? []);
  return edges.length === list.length ? edges : undefined;
}

function readEdge(entry: unknown, at: number): AuthoredEdge | undefined {
  if (typeof entry === "string") return { phase: entry, kind: "hard", when: "success", at };
  const { phase, kind = "hard", when = "success" } = isMap(entry) ? entry : {};
  const known = ["success", "failure", "always"] as const;
  const meant = when === "completed" ? "always" : known.find((name) => name === when);
  if (typeof phase !== "string" || meant === undefined || (kind !== "hard" && kind !== "soft")) return undefined;
  return { phase, kind, when: meant, at };
}

/**
 * Replaces the edges to phases that go by those of these phases, transitively. An inherited edge is soft if any on its
 * way is, and waits for what the phase that goes waited for; for the end alone, where the phase would have started
 * whatever came of that one. Edges of the phase's own win over inherited ones.
 */
export function contractEdges(edges: readonly AuthoredEdge[], edgesOf: EdgesOf): ContractedEdges {
  const own = new Set(edges.filter(({ phase }) => edgesOf(phase) === undefined).map(({ phase }) => phase));
  const kept: AuthoredEdge[] = [];
  const failures: { edge: AuthoredEdge; target: string }[] = [];
  for (const edge of edges) {
    if (own.has(edge.phase)) kept.push(edge);
    else inherit(edge);
  }
  return { kept, failures };

  function inherit(edge: AuthoredEdge): void {
    const seen = new Set<string>();
    const open = [edge];
    for (const step of open) {
      const state = `${step.phase} ${step.kind} ${step.when}`;
      if (seen.has(state)) continue;
      seen.add(state);
      if (step.when === "failure") failures.push({ edge, target: step.phase });
      for (const next of step.when === "failure" ? [] : (edgesOf(step.phase) ?? [])) {
        const joined = join(step, next);
        if (edgesOf(next.phase) !== undefined) open.push(joined);
        else if (!own.has(next.phase)) add(joined);
      }
    }
  }

  function add(edge: AuthoredEdge): void {
    const place = kept.findIndex(({ phase }) => phase === edge.phase);
    const known = kept[place];
    if (known === undefined) kept.push(edge);
    else
      kept[place] = { ...known, kind: known.kind === "hard" ? "hard" : edge.kind, when: both(known.when, edge.when) };
  }
}

function join(step: AuthoredEdge, next: AuthoredEdge): AuthoredEdge {
  const kind = step.kind === "soft" ? "soft" : next.kind;
  return { phase: next.phase, kind, when: step.when === "always" ? "always" : next.when, at: step.at };
}

/** One edge for two ways to the same phase: the stricter demand; with success and failure at once, only its end. */
export function both(first: When | undefined, second: When): When {
  if (first === undefined || first === second || first === "always") return second;
  return second === "always" ? first : "always";
}
