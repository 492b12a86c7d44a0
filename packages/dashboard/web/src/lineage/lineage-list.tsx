import type { Lineage, LineageNode } from "@fanfold/schemas";
import { type ReactNode, useMemo } from "react";
import { bytesText } from "../format/format-text.ts";
import { phaseTitle } from "../format/phase-title.ts";
import { type LineageStep, stepsOf } from "./lineage-model.ts";

interface LineageListProps {
  readonly lineage: Lineage;
  readonly onOpen: (node: LineageNode) => void;
}

/** Lineage as a list, from the first phase to the last: for small screens, and for whoever reads with their ears. */
export function LineageList({ lineage, onOpen }: LineageListProps): ReactNode {
  const steps = useMemo(() => stepsOf(lineage), [lineage]);
  const roots = new Set(lineage.roots);
  return (
    <ol className="lineage-list" tabIndex={0} aria-label="Steps of the lineage">
      {steps.map((step) => (
        <li key={step.node.id} className={roots.has(step.node.id) ? "is-root" : ""}>
          <Step step={step} roots={roots} onOpen={onOpen} />
        </li>
      ))}
    </ol>
  );
}

interface StepProps {
  readonly step: LineageStep;
  readonly roots: ReadonlySet<string>;
  readonly onOpen: (node: LineageNode) => void;
}

function Step({ step: { node, before, after }, roots, onOpen }: StepProps): ReactNode {
  return (
    <>
      <NodeButton node={node} isRoot={roots.has(node.id)} onOpen={onOpen} />
      {before.length === 0 ? null : <Artifacts title="from" nodes={before} roots={roots} onOpen={onOpen} />}
      {after.length === 0 ? null : (
        <Artifacts title={node.kind === "phase" ? "made" : "read by"} nodes={after} roots={roots} onOpen={onOpen} />
      )}
    </>
  );
}

interface ArtifactsProps {
  readonly title: string;
  readonly nodes: readonly LineageNode[];
  readonly roots: ReadonlySet<string>;
  readonly onOpen: (node: LineageNode) => void;
}

function Artifacts({ title, nodes, roots, onOpen }: ArtifactsProps): ReactNode {
  return (
    <div className="lineage-part">
      <span className="faint">{title}</span>
      <ul>
        {nodes.map((node) => (
          <li key={node.id}>
            <NodeButton node={node} isRoot={roots.has(node.id)} onOpen={onOpen} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface NodeButtonProps {
  readonly node: LineageNode;
  readonly isRoot: boolean;
  readonly onOpen: (node: LineageNode) => void;
}

function NodeButton({ node, isRoot, onOpen }: NodeButtonProps): ReactNode {
  return (
    <span className="lineage-item">
      <button type="button" className={`link ${isRoot ? "is-root" : ""}`} onClick={() => onOpen(node)}>
        {node.kind === "phase" ? phaseTitle(node.phase) : node.name}
      </button>
      <span className="tag">r{node.revision}</span>
      {node.kind === "phase" ? null : <span className="faint">{bytesText(node.size_bytes)}</span>}
    </span>
  );
}
