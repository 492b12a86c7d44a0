import { type Edges, findComponents } from "./phase-components.ts";

/** Cycles that are reported of one plan. */
export const MAX_CYCLES = 50;

/**
 * Cycles of a graph, each once, from its smallest node back to it: `[0, 3, 0]`. A dense knot has more cycles than
 * anyone can read, so these are chosen: every edge that lies on a cycle is on a reported one, by a shortest way,
 * until {@link MAX_CYCLES} are found.
 */
export function findCycles(edges: Edges): number[][] {
  const cycles: number[][] = [];
  for (const component of findComponents(edges)) {
    const members = new Set(component);
    const covered = new Set<string>();
    for (const from of component) {
      for (const to of edges[from] ?? []) {
        if (cycles.length >= MAX_CYCLES) return cycles;
        if (!members.has(to) || covered.has(`${from} ${to}`)) continue;
        const cycle = fromSmallest(shortestWay(edges, members, to, from));
        if (cycle.length > 1) cycles.push(cycle);
        for (const [step, node] of cycle.entries()) covered.add(`${node} ${cycle[step + 1]}`);
      }
    }
  }
  return cycles;
}

/** Nodes of a shortest way within a component; empty when there is none. */
function shortestWay(edges: Edges, members: ReadonlySet<number>, start: number, goal: number): number[] {
  const cameFrom = new Map<number, number | undefined>([[start, undefined]]);
  const queue = [start];
  for (const node of queue) {
    if (node === goal) break;
    for (const next of edges[node] ?? []) {
      if (!members.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  const way: number[] = [];
  for (let node: number | undefined = goal; node !== undefined && cameFrom.has(node); node = cameFrom.get(node)) {
    way.push(node);
  }
  return way.toReversed();
}

/** Turns the nodes of a ring so that the smallest comes first, and closes it. */
function fromSmallest(ring: readonly number[]): number[] {
  let smallest = 0;
  for (const [at, node] of ring.entries()) if (node < (ring[smallest] ?? node)) smallest = at;
  return [...ring.slice(smallest), ...ring.slice(0, smallest), ...ring.slice(smallest, smallest + 1)];
}
