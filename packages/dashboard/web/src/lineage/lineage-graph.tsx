import type { Lineage, LineageNode } from "@fanfold/schemas";
import {
  Background,
  Controls,
  type Edge,
  MarkerType,
  type NodeChange,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from "@xyflow/react";
import { type ReactNode, useEffect, useMemo } from "react";
import type { RunDetail } from "../api/shapes.ts";
import type { NodePlace, NodeSize } from "../graph/layers.ts";
import { usePlaces } from "../graph/use-places.ts";
import { useRunScope, useSelection } from "../run/run-context.tsx";
import { nodeTitle } from "./lineage-model.ts";
import { LineageNodeBox, type LineageNodeType } from "./lineage-node.tsx";
import "@xyflow/react/dist/style.css";
import "../graph/graph.css";

const NODE_TYPES = { lineage: LineageNodeBox };
const SIZE: NodeSize = { width: 176, height: 54, gap: 44 };
const FIT = { padding: 0.12, minZoom: 0.75, maxZoom: 1.1 };

interface LineageGraphProps {
  readonly lineage: Lineage;
  readonly onOpen: (node: LineageNode) => void;
}

/** Lineage as a graph from left to right: phases, and the artifacts between them. */
export function LineageGraph(props: LineageGraphProps): ReactNode {
  return (
    <ReactFlowProvider>
      <LineageCanvas {...props} />
    </ReactFlowProvider>
  );
}

function LineageCanvas({ lineage, onOpen }: LineageGraphProps): ReactNode {
  const { run } = useRunScope();
  const { phase, artifact } = useSelection();
  const places = usePlaces({ ids: lineage.nodes.map(({ id }) => id), edges: lineage.edges, size: SIZE });
  const nodes = useMemo(
    () => nodesOf(lineage, { places, run, phase, artifact }),
    [lineage, places, run, phase, artifact],
  );
  const edges = useMemo(() => edgesOf(lineage), [lineage]);
  const follow = (changes: NodeChange<LineageNodeType>[]): void => {
    const chosen = changes.find((change) => change.type === "select" && change.selected);
    const node = chosen?.type === "select" ? lineage.nodes.find(({ id }) => id === chosen.id) : undefined;
    if (node !== undefined) onOpen(node);
  };
  return (
    <div className="graph" role="group" aria-label="Graph of the lineage">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        onNodesChange={follow}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        onlyRenderVisibleElements
        minZoom={0.05}
        fitView
        fitViewOptions={FIT}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={24} />
        <Controls showInteractive={false} />
        <FitAgain places={places} root={lineage.roots[0]} />
      </ReactFlow>
    </div>
  );
}

interface FitProps {
  readonly places: ReadonlyMap<string, NodePlace>;
  /** What is in the middle where not everything has room. */
  readonly root: string | undefined;
}

/** Brings everything into sight when it is laid out anew, as far as it can still be read. */
function FitAgain({ places, root }: FitProps): ReactNode {
  const { fitView, getZoom, setCenter } = useReactFlow();
  useEffect(() => {
    const place = root === undefined ? undefined : places.get(root);
    void fitView(FIT).then(() => {
      if (place === undefined || getZoom() > FIT.minZoom) return;
      void setCenter(place.x + SIZE.width / 2, place.y + SIZE.height / 2, { zoom: FIT.minZoom, duration: 0 });
    });
  }, [places, root, fitView, getZoom, setCenter]);
  return null;
}

interface Shown {
  readonly places: ReadonlyMap<string, NodePlace>;
  readonly run: RunDetail;
  readonly phase: string | null;
  readonly artifact: string | null;
}

function nodesOf({ nodes, roots }: Lineage, { places, run, phase, artifact }: Shown): LineageNodeType[] {
  const phases = new Map(run.phases.map((item) => [item.phase, item]));
  const isRoot = new Set(roots);
  return nodes.map((node) => {
    const latest = phases.get(node.phase);
    const status = node.kind === "phase" && latest?.revision === node.revision ? latest.status : null;
    const isChosen =
      node.kind === "phase"
        ? artifact === null && status !== null && node.phase === phase
        : node.artifact_id === artifact;
    return {
      id: node.id,
      type: "lineage",
      position: places.get(node.id) ?? { x: 0, y: 0 },
      width: SIZE.width,
      height: SIZE.height,
      selected: isChosen,
      ariaLabel: `${node.kind} ${nodeTitle(node)}${status === null ? "" : `, ${status}`}`,
      data: { node, status, isRoot: isRoot.has(node.id) },
    };
  });
}

function edgesOf({ edges }: Lineage): Edge[] {
  return edges.map(({ from, to }) => ({
    id: `${from} ${to}`,
    source: from,
    target: to,
    markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, markerUnits: "userSpaceOnUse" },
    focusable: false,
  }));
}
