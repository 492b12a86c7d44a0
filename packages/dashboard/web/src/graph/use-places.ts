import { useEffect, useMemo, useState } from "react";
import { type GraphEdge, layoutInLayers, type NodePlace, type NodeSize } from "./layers.ts";
import { layoutGraph } from "./layout-graph.ts";

/** What is laid out. */
export interface Layout {
  readonly ids: readonly string[];
  readonly edges: readonly GraphEdge[];
  /** Size of a node; that of a phase when absent. */
  readonly size?: NodeSize;
}

/**
 * Where the nodes of a graph stand: at once in plain layers, then as laid out with care. Laid out anew when nodes or
 * edges change, not when what they show does.
 */
export function usePlaces({ ids, edges, size }: Layout): ReadonlyMap<string, NodePlace> {
  const shape = JSON.stringify([ids, edges.map(({ from, to }) => [from, to])]);
  // what the nodes show changes with each event, their shape hardly ever
  const plain = useMemo(() => layoutInLayers(ids, edges, size), [shape]);
  const [careful, setCareful] = useState<{ shape: string; places: ReadonlyMap<string, NodePlace> }>();
  useEffect(() => {
    let isStale = false;
    layoutGraph(ids, edges, size)
      .then((places) => {
        if (!isStale) setCareful({ shape, places });
      })
      .catch(() => undefined); // the plain layout stays
    return () => {
      isStale = true;
    };
  }, [shape]);
  return careful?.shape === shape ? careful.places : plain;
}
