import type { ReactNode } from "react";
import type { PhaseDetail } from "../api/shapes.ts";
import { countText, durationText } from "../format/format-text.ts";
import { useNow } from "../format/use-now.ts";
import { ShardBar } from "../ui/progress-bar.tsx";
import { EmptyState } from "../ui/states.tsx";
import { StaleTag } from "../ui/stale-tag.tsx";
import { StatusIcon, statusWord } from "../ui/status-icon.tsx";
import { shownStatus } from "./phase-status.ts";
import { useRunScope, useSelection } from "./run-context.tsx";
import { ShardTable } from "./shard-table.tsx";

/** The phases on the left, the shards of the chosen one beside them. */
export function PhasesView(): ReactNode {
  const { run } = useRunScope();
  const { phase, select } = useSelection();
  const chosen = run.phases.find((item) => item.phase === phase);
  return (
    <div className="phases-view">
      <PhaseTree phases={run.phases} chosen={phase} onChoose={(id) => select(id)} />
      <div className="phases-shards">
        {chosen === undefined ? (
          <EmptyState title="Choose a phase to see its shards" />
        ) : run.approvals.includes(chosen.phase) ? (
          <EmptyState title="This phase asks a person: it has no shards" />
        ) : (
          <ShardTable key={chosen.phase} phase={chosen} />
        )}
      </div>
    </div>
  );
}

interface TreeProps {
  readonly phases: readonly PhaseDetail[];
  readonly chosen: string | null;
  readonly onChoose: (phase: string) => void;
}

/** Phases in declared order; instances of a matrix stand below their phase's name. */
function PhaseTree({ phases, chosen, onChoose }: TreeProps): ReactNode {
  const nowMs = useNow(phases.some(({ status }) => status === "running"));
  return (
    <nav className="phase-tree" aria-label="Phases">
      <ul>
        {groupPhases(phases).map(({ name, members }) => (
          <li key={name}>
            {members.length === 1 && members[0]?.phase === name ? null : <p className="phase-group">{name}</p>}
            <ul>
              {members.map((phase) => (
                <li key={phase.phase}>
                  <button
                    type="button"
                    className="phase-item"
                    aria-current={phase.phase === chosen}
                    onClick={() => onChoose(phase.phase)}
                  >
                    <PhaseLine phase={phase} name={shortName(phase.phase, name)} nowMs={nowMs} />
                  </button>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function PhaseLine({
  phase,
  name,
  nowMs,
}: {
  readonly phase: PhaseDetail;
  readonly name: string;
  readonly nowMs: number;
}): ReactNode {
  const { shards } = phase;
  const status = shownStatus(phase);
  return (
    <>
      <span className="phase-name">
        <StatusIcon status={status} />
        <span className="cut">{name}</span>
        <span className="unseen">, {statusWord(status)}</span>
        <StaleTag phase={phase} />
      </span>
      <span className="phase-figures">
        {shards.total > 1 ? <ShardBar counts={shards} label={`shards of ${phase.phase}`} /> : null}
        <span className="faint">
          {shards.total > 1 ? `${countText(shards.succeeded)}/${countText(shards.total)}` : ""}{" "}
          {phaseTime(phase, nowMs)}
        </span>
      </span>
    </>
  );
}

/** How long a phase took, or has taken so far; empty before it started. */
export function phaseTime(phase: PhaseDetail, nowMs: number): string {
  if (phase.started_at_ms === null) return "";
  if (phase.status === "running") return durationText(nowMs - phase.started_at_ms);
  return phase.wall_time_sec === null ? "" : durationText(phase.wall_time_sec * 1_000);
}

/** `translate[language=french]` is an instance of `translate`. */
function groupPhases(phases: readonly PhaseDetail[]): { name: string; members: PhaseDetail[] }[] {
  const groups = new Map<string, PhaseDetail[]>();
  for (const phase of phases) {
    const name = phase.phase.replace(/\[.*$/, "");
    groups.set(name, [...(groups.get(name) ?? []), phase]);
  }
  return [...groups].map(([name, members]) => ({ name, members }));
}

function shortName(phase: string, group: string): string {
  return phase === group ? phase : phase.slice(group.length).replace(/^\[|\]$/g, "");
}
