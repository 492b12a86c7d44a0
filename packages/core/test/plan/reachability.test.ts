import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findCycles, MAX_CYCLES } from "../../src/plan/find-cycles.ts";
import { findComponents } from "../../src/plan/phase-components.ts";
import { Reachability } from "../../src/plan/reachability.ts";

/** Any graph of up to 40 nodes, so that bits spread over two words. */
const anyGraph = fc
  .integer({ min: 1, max: 40 })
  .chain((size) =>
    fc.array(fc.array(fc.nat({ max: size - 1 }), { maxLength: 3 }), { minLength: size, maxLength: size }),
  );

function walk(edges: number[][], from: number): Set<number> {
  const found = new Set<number>();
  const queue = [from];
  for (const node of queue) {
    for (const next of edges[node] ?? []) {
      if (!found.has(next)) queue.push(next);
      found.add(next);
    }
  }
  return found;
}

test("a node reaches exactly what a walk from it finds, cycles included", () => {
  fc.assert(
    fc.property(anyGraph, (edges) => {
      const reachability = new Reachability(edges, edges.keys());
      for (const from of edges.keys()) {
        const found = walk(edges, from);
        for (const target of edges.keys()) expect(reachability.reaches(from, target)).toBe(found.has(target));
      }
    }),
  );
});

test("components hold the nodes that reach each other, and follow those they point to", () => {
  fc.assert(
    fc.property(anyGraph, (edges) => {
      const components = findComponents(edges);
      expect(components.flat().sort((a, b) => a - b)).toEqual([...edges.keys()]);
      const placeOf = new Map(components.flatMap((component, place) => component.map((node) => [node, place])));
      for (const [from, targets] of edges.entries()) {
        for (const to of targets) {
          expect(placeOf.get(to)).toBeLessThanOrEqual(placeOf.get(from) ?? -1);
          expect(placeOf.get(to) === placeOf.get(from)).toBe(to === from || walk(edges, to).has(from));
        }
      }
    }),
  );
});

test("every edge on a cycle is on a reported cycle, and every reported cycle is one", () => {
  fc.assert(
    fc.property(anyGraph, (edges) => {
      const cycles = findCycles(edges);
      const reported = new Set<string>();
      for (const cycle of cycles) {
        expect(cycle[0]).toBe(cycle.at(-1));
        expect(cycle[0]).toBe(Math.min(...cycle));
        expect(new Set(cycle.slice(1)).size).toBe(cycle.length - 1);
        for (const [step, from] of cycle.slice(0, -1).entries()) {
          expect(edges[from]).toContain(cycle[step + 1]);
          reported.add(`${from} ${cycle[step + 1]}`);
        }
      }
      expect(new Set(cycles.map(String)).size).toBe(cycles.length);
      if (cycles.length === MAX_CYCLES) return;
      for (const [from, targets] of edges.entries()) {
        for (const to of targets) {
          const isOnCycle = to === from || walk(edges, to).has(from);
          expect(reported.has(`${from} ${to}`)).toBe(isOnCycle);
        }
      }
    }),
  );
});

test("a chain of any length needs no stack", () => {
  const chain = Array.from({ length: 50_000 }, (_, node) => (node === 0 ? [] : [node - 1]));
  expect(findComponents(chain)).toHaveLength(50_000);
  expect(findCycles([[49_999], ...chain.slice(1)])[0]).toHaveLength(50_001);
});
