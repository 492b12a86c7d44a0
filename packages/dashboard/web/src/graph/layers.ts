/** Size of a phase's node, in pixels. */
export const NODE_WIDTH_PX = 220;
export const NODE_HEIGHT_PX = 92;

/** Size of all nodes of a graph, in pixels. */
export interface NodeSize {
  readonly width: number;
  readonly height: number;
  /** Space between columns. */
  readonly gap: number;
}

/** Size of a phase's node. */
export const PHASE_SIZE: NodeSize = { width: NODE_WIDTH_PX, height: NODE_HEIGHT_PX, gap: 70 };

/** Space between rows, in pixels. */
export const ROW_GAP_PX = 28;

/** That one thing comes before another. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
}

/** Where a node's upper left corner is, in pixels. */
export interface NodePlace {
  readonly x: number;
  readonly y: number;
}

/**
 * A plain layout that is there at once: each phase stands right of all it depends on, in declared order from the top,
 * each column centred. What is in a cycle, which no plan has, stands in the first column.
 */
export function layoutInLayers(
  ids: readonly string[],
  edges: readonly GraphEdge[],
  { width, height, gap }: NodeSize = PHASE_SIZE,
): ReadonlyMap<string, NodePlace> {
  const columns: string[][] = [];
  for (const [id, layer] of layersOf(ids, edges)) {
    columns[layer] ??= [];
    columns[layer].push(id);
  }
  const places = columns.flatMap((column, layer) =>
    column.map((id, row): [string, NodePlace] => [
      id,
      { x: layer * (width + gap), y: (row - (column.length - 1) / 2) * (height + ROW_GAP_PX) },
    ]),
  );
  return new Map(places);
}

/** For each phase the length of the longest chain before it. */
function layersOf(ids: readonly string[], edges: readonly GraphEdge[]): ReadonlyMap<string, number> {
  const layers = new Map(ids.map((id) => [id, 0]));
  const open = new Map(ids.map((id) => [id, 0]));
  const targets = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { from, to } of edges) {
    if (!open.has(from) || !open.has(to)) continue;
    open.set(to, (open.get(to) ?? 0) + 1);
    targets.get(from)?.push(to);
  }
  const ready = ids.filter((id) => open.get(id) === 0);
  for (const id of ready) {
    for (const target of targets.get(id) ?? []) {
      layers.set(target, Math.max(layers.get(target) ?? 0, (layers.get(id) ?? 0) + 1));
      const left = (open.get(target) ?? 0) - 1;
      open.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  return layers;
}
