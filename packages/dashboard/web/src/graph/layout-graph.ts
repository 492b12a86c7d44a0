import { type GraphEdge, type NodePlace, type NodeSize, PHASE_SIZE, ROW_GAP_PX } from "./layers.ts";
import type { ELK } from "elkjs/lib/elk-api.js";
import ElkApi from "elkjs/lib/elk-api.js";
import elkWorkerUrl from "elkjs/lib/elk-worker.min.js?url";

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.spacing.nodeNode": String(ROW_GAP_PX),
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

let elk: ELK | undefined;

/** Lays nodes out from left to right, in a worker; declared order decides where there is a choice. */
export async function layoutGraph(
  ids: readonly string[],
  edges: readonly GraphEdge[],
  { width, height, gap }: NodeSize = PHASE_SIZE,
): Promise<ReadonlyMap<string, NodePlace>> {
  elk ??= new ElkApi({ workerFactory: () => new Worker(elkWorkerUrl) });
  const known = new Set(ids);
  const laidOut = await elk.layout({
    id: "plan",
    layoutOptions: { ...OPTIONS, "elk.layered.spacing.nodeNodeBetweenLayers": String(gap) },
    children: ids.map((id) => ({ id, width, height })),
    edges: edges
      .filter(({ from, to }) => known.has(from) && known.has(to))
      .map(({ from, to }) => ({ id: `${from} ${to}`, sources: [from], targets: [to] })),
  });
  return new Map((laidOut.children ?? []).map(({ id, x, y }) => [id, { x: x ?? 0, y: y ?? 0 }]));
}
