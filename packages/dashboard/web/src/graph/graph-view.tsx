import {
  Background,
  Controls,
  type Edge,
  MarkerType,
  MiniMap,
  type NodeChange,
  ReactFlow,
  ReactFlowProvider,
} from "@xyflow/react";
import { type ReactNode, useMemo, useRef } from "react";
import type { RunDetail } from "../api/shapes.ts";
import { useRunScope, useSelection } from "../run/run-context.tsx";
import { shownStatus } from "../run/phase-status.ts";
import { countAwaited } from "../run/spawned-list.tsx";
import { statusWord } from "../ui/status-icon.tsx";
import { type GraphEdge, NODE_HEIGHT_PX, NODE_WIDTH_PX, type NodePlace } from "./layers.ts";
import { FIT, KeepInSight } from "./keep-in-sight.tsx";
import { PhaseNode, type PhaseNodeType } from "./phase-node.tsx";
import { usePlaces } from "./use-places.ts";
import "@xyflow/react/dist/style.css";
import "./graph.css";

const NODE_TYPES = { phase: PhaseNode };
const MINIMAP_FROM = 12;

/** The phases as a graph, from left to right. */
export function GraphView(): ReactNode {
  const { run } = useRunScope();
  const places = usePlaces({ ids: idsOf(run), edges: allEdges(run) });
  return (
    <ReactFlowProvider>
      <GraphCanvas places={places} />
    </ReactFlowProvider>
  );
}

function GraphCanvas({ places }: { readonly places: ReadonlyMap<string, NodePlace> }): ReactNode {
  const { run } = useRunScope();
  const { phase, select } = useSelection();
  const nodes = useMemo(() => nodesOf(run, places, phase), [run, places, phase]);
  const edges = useMemo(() => edgesOf(run), [run]);
  const isMoved = useRef(false);
  const setMoved = (isByHand: boolean) => () => {
    isMoved.current = isByHand;
  };
  const follow = (changes: NodeChange<PhaseNodeType>[]): void => {
    const chosen = changes.find((change) => change.type === "select" && change.selected);
    if (chosen?.type === "select" && chosen.id !== phase) select(chosen.id);
  };
  return (
    <div className="graph" role="group" aria-label="Graph of the phases">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        onNodesChange={follow}
        onPaneClick={() => select(null)}
        onMove={(event) => event !== null && setMoved(true)()}
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
        <Controls
          showInteractive={false}
          fitViewOptions={FIT}
          onZoomIn={setMoved(true)}
          onZoomOut={setMoved(true)}
          onFitView={setMoved(false)}
        />
        {nodes.length >= MINIMAP_FROM ? <MiniMap pannable zoomable nodeClassName={miniClass} /> : null}
        <KeepInSight phase={phase} places={places} isMoved={isMoved} />
      </ReactFlow>
    </div>
  );
}

function miniClass({ data }: PhaseNodeType): string {
  return `mini-${data.phase.status}`;
}

function idsOf(run: RunDetail): string[] {
  return run.phases.map(({ phase }) => phase);
}

/** What comes before what: by the plan, and because it was spawned. */
function allEdges(run: RunDetail): GraphEdge[] {
  return [...run.edges, ...run.spawned.map(({ phase, by_phase: from }) => ({ from, to: phase }))];
}

function nodesOf(run: RunDetail, places: ReadonlyMap<string, NodePlace>, chosen: string | null): PhaseNodeType[] {
  const critical = new Set(run.critical_path);
  const questions = new Set(run.approvals);
  return run.phases.map((phase) => ({
    id: phase.phase,
    type: "phase",
    position: places.get(phase.phase) ?? { x: 0, y: 0 },
    width: NODE_WIDTH_PX,
    height: NODE_HEIGHT_PX,
    selected: phase.phase === chosen,
    ariaLabel: `${phase.phase}, ${statusWord(shownStatus(phase))}${phase.is_stale ? ", stale" : ""}`,
    data: {
      phase,
      isCritical: critical.size > 1 && critical.has(phase.phase),
      awaited: countAwaited(run, phase),
      isQuestion: questions.has(phase.phase),
    },
  }));
}

function edgesOf(run: RunDetail): Edge[] {
  const critical = new Set(run.critical_path.map((phase, index) => `${run.critical_path[index - 1] ?? ""} ${phase}`));
  const status = new Map(run.phases.map((phase) => [phase.phase, phase.status]));
  const spawned = run.spawned.map(
    ({ phase: to, by_phase: from }): Edge => ({
      id: `${from} ${to}`,
      source: from,
      target: to,
      className: "edge-spawned",
      markerEnd: ARROW,
      focusable: false,
      label: "spawned",
    }),
  );
  const planned = run.edges.map(({ from, to, kind, when }): Edge => {
    const id = `${from} ${to}`;
    const names = [
      `edge-${kind}`,
      critical.has(id) ? "edge-critical" : "",
      status.get(to) === "skipped" ? "edge-unused" : "",
    ];
    return {
      id,
      source: from,
      target: to,
      className: names.join(" "),
      markerEnd: ARROW,
      focusable: false,
      ...(when === "success" ? {} : { label: when }),
    };
  });
  return [...planned, ...spawned];
}

const ARROW = { type: MarkerType.ArrowClosed, width: 14, height: 14, markerUnits: "userSpaceOnUse" };
