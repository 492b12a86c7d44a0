import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AuthoredEdge, contractEdges, readEdges } from "../../src/plan/contract-edges.ts";

/** Whether each phase comes after each other one. */
function order(edges: ReadonlyMap<string, readonly AuthoredEdge[]>, ids: readonly string[]): string[] {
  const reach = (id: string, seen: Set<string>): Set<string> => {
    for (const { phase } of edges.get(id) ?? []) {
      if (seen.has(phase)) continue;
      seen.add(phase);
      reach(phase, seen);
    }
    return seen;
  };
  return ids.flatMap((id) => {
    const before = reach(id, new Set());
    return ids.filter((other) => before.has(other)).map((other) => `${id} after ${other}`);
  });
}

describe("contracted edges", () => {
  test("leave the order of what stays as it was, whatever goes", () => {
    const when = fc.constantFrom("success", "always");
    const kind = fc.constantFrom("hard", "soft");
    const size = 8;
    const graph = fc.tuple(
      ...Array.from({ length: size }, (_, row) =>
        fc.uniqueArray(fc.record({ phase: fc.nat({ max: Math.max(0, row - 1) }).map(String), when, kind }), {
          maxLength: row === 0 ? 0 : 3,
          selector: ({ phase }) => phase,
        }),
      ),
    );
    const gone = fc.uniqueArray(fc.nat({ max: size - 1 }).map(String));
    fc.assert(
      fc.property(graph, gone, (lists, names) => {
        const all = new Map(lists.map((depends_on, row) => [String(row), readEdges({ depends_on }) ?? []]));
        const kept = [...all.keys()].filter((id) => !names.includes(id));
        const edgesOf = (id: string) => (names.includes(id) ? all.get(id) : undefined);
        const contracted = kept.map((id) => [id, contractEdges(all.get(id) ?? [], edgesOf)] as const);
        const left = new Map(contracted.map(([id, edges]) => [id, edges.kept]));
        expect(order(left, kept)).toEqual(order(all, kept));
        for (const edges of left.values()) expect(new Set(edges.map(({ phase }) => phase)).size).toBe(edges.length);
      }),
      { numRuns: 500 },
    );
  });
});
