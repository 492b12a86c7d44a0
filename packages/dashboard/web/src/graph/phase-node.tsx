import { Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { memo, type ReactNode } from "react";
import type { PhaseDetail } from "../api/shapes.ts";
import { phaseTitle } from "../format/phase-title.ts";
import { countText, durationText } from "../format/format-text.ts";
import { shownStatus } from "../run/phase-status.ts";
import { causeText } from "../run/phase-details.tsx";
import { countsText, ShardBar } from "../ui/progress-bar.tsx";
import { StaleTag } from "../ui/stale-tag.tsx";
import { lookOf, StatusIcon, statusWord } from "../ui/status-icon.tsx";

/** A phase in the graph. */
export type PhaseNodeType = Node<
  {
    readonly phase: PhaseDetail;
    readonly isCritical: boolean;
    readonly awaited: number;
    /** Whether it asks a person: then it has no shards. */
    readonly isQuestion: boolean;
  },
  "phase"
>;

/** A phase: its status, its shards as a histogram, and what marks it out. */
export const PhaseNode = memo(function PhaseNode({ data, selected }: NodeProps<PhaseNodeType>): ReactNode {
  const { phase, isCritical, awaited, isQuestion } = data;
  const status = shownStatus(phase);
  const names = [
    "phase-node",
    `look-${lookOf(status)}`,
    selected ? "is-selected" : "",
    isCritical ? "is-critical" : "",
  ];
  return (
    <div className={names.join(" ")} title={hoverText(phase)}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <p className="node-name">
        <StatusIcon status={status} />
        <span className="cut">{phaseTitle(phase.phase)}</span>
      </p>
      {isQuestion ? <NodeQuestion phase={phase} /> : <NodeShards phase={phase} />}
      <p className="node-foot">
        <span>{awaited === 0 ? statusWord(status) : `waits for ${awaited} spawned`}</span>
        <span className="push" />
        <StaleTag phase={phase} />
        {isCritical && !phase.is_stale ? <span className="tag">critical</span> : null}
        <span>{timeText(phase)}</span>
      </p>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});

/** How long it took; how long a person is waited for stands in the details. */
function timeText({ wall_time_sec: timeSec, approval }: PhaseDetail): string {
  return timeSec === null || approval !== null ? "" : durationText(timeSec * 1_000);
}

function NodeQuestion({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  return (
    <p className="node-shards faint">
      <span className="cut">{phase.approval?.message ?? "approval"}</span>
    </p>
  );
}

function NodeShards({ phase }: { readonly phase: PhaseDetail }): ReactNode {
  const { shards } = phase;
  if (shards.total === 0) return <p className="node-shards faint">not cut into shards yet</p>;
  return (
    <p className="node-shards">
      <ShardBar counts={shards} label={`shards of ${phase.phase}`} />
      <span className="faint">
        {countText(shards.succeeded)}/{countText(shards.total)}
      </span>
    </p>
  );
}

/** What a pointer over the node tells: why it does not run, or what went wrong. */
function hoverText(phase: PhaseDetail): string {
  const lines = [
    `${phase.phase}: ${statusWord(shownStatus(phase))}`,
    phase.approval?.message ?? "",
    phase.shards.total > 0 ? countsText(phase.shards) : "",
    phase.is_stale ? `stale: ${phase.stale_cause ?? "an input has changed"}` : "",
    causeText(phase),
    phase.status === "pending" && phase.depends_on.length > 0 ? `waits for ${phase.depends_on.join(", ")}` : "",
    phase.problem?.why ?? "",
  ];
  return lines.filter(Boolean).join("\n");
}
