import type { RunDetail } from "../api/shapes.ts";
import { NODE_HEIGHT_PX, NODE_WIDTH_PX, type NodePlace } from "./layers.ts";
import type { ELK } from "elkjs/lib/elk-api.js";
import ElkApi from "elkjs/lib/elk-api.js";
import elkWorkerUrl from "elkjs/lib/elk-worker.min.js?url";

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.spacing.nodeNode": "28",
  "elk.layered.spacing.nodeNodeBetweenLayers": "70",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

let elk: ELK | undefined;

/** Lays phases out from left to right, in a worker; declared order decides where there is a choice. */
export async function layoutGraph(
  ids: readonly string[],
  edges: RunDetail["edges"],
): Promise<ReadonlyMap<string, NodePlace>> {
  elk ??= new ElkApi({ workerFactory: () => new Worker(elkWorkerUrl) });
  const known = new Set(ids);
  const laidOut = await elk.layout({
    id: "plan",
    layoutOptions: OPTIONS,
    children: ids.map((id) => ({ id, width: NODE_WIDTH_PX, height: NODE_HEIGHT_PX })),
    edges: edges
      .filter(({ from, to }) => known.has(from) && known.has(to))
      .map(({ from, to }) => ({ id: `${from} ${to}`, sources: [from], targets: [to] })),
  });
  return new Map((laidOut.children ?? []).map(({ id, x, y }) => [id, { x: x ?? 0, y: y ?? 0 }]));
}
