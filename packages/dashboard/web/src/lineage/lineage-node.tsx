import type { LineageNode } from "@fanfold/schemas";
import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { memo, type ReactNode } from "react";
import { bytesText } from "../format/format-text.ts";
import { phaseTitle } from "../format/phase-title.ts";
import { lookOf, StatusIcon } from "../ui/status-icon.tsx";

/** A phase's revision or an artifact in the graph of a lineage. */
export type LineageNodeType = Node<
  {
    readonly node: LineageNode;
    /** Status of a phase; `null` for an earlier revision, and for an artifact. */
    readonly status: string | null;
    readonly isRoot: boolean;
  },
  "lineage"
>;

/** A node: phases have corners and a status, artifacts are round and have a size. */
export const LineageNodeBox = memo(function LineageNodeBox({ data, selected }: NodeProps<LineageNodeType>): ReactNode {
  const { node, status, isRoot } = data;
  const isPhase = node.kind === "phase";
  const names = [
    "lineage-node",
    `is-${node.kind}`,
    status === null ? "" : `look-${lookOf(status)}`,
    selected ? "is-selected" : "",
    isRoot ? "is-root" : "",
  ];
  const name = isPhase ? phaseTitle(node.phase) : node.name;
  return (
    <div className={names.join(" ")} title={isPhase ? node.id : `${node.id}\nsha256 ${node.sha256}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <p className="node-name">
        {status === null ? null : <StatusIcon status={status} />}
        <span className="cut">{name}</span>
        <span className="push" />
        <span className="tag">r{node.revision}</span>
      </p>
      <p className="node-foot">
        {isPhase ? (
          <span>{status ?? "earlier revision"}</span>
        ) : (
          <>
            <span>{bytesText(node.size_bytes)}</span>
            <span className="push" />
            <span className="mono">{node.sha256.slice(0, 8)}</span>
          </>
        )}
      </p>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});
