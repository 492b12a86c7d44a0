import {
  formatCount,
  formatDuration,
  lastProblem,
  type Problem,
  runProgressAt,
  type RunView,
  wallTimeMs,
} from "@fanfold/core";
import { approveCommands } from "./approve-commands.ts";
import { choosePhases } from "./choose-phases.ts";
import { layoutRows, phaseRow } from "./phase-row.ts";
import { failureLabel, problemExit, problemPlace } from "./problem-text.ts";
import { etaText, percentText } from "./progress-text.ts";
import { type Palette, renderLine, type Segment } from "./text-style.ts";

/** What a tree is drawn on. */
export interface TreeTerminal {
  readonly columns: number;
  /** Lines the whole tree may take. */
  readonly rows: number;
  readonly nowMs: number;
  readonly palette: Palette;
}

/** A run as a tree of its phases with its last problem below: never more lines than the terminal has. */
export function runTree(view: RunView, terminal: TreeTerminal): string[] {
  const problem = [...approvalLines(view, terminal), ...problemLines(lastProblem(view), terminal)];
  const { shown, hidden } = choosePhases(view, Math.max(1, terminal.rows - 1 - problem.length));
  const layout = layoutRows(shown, terminal);
  const lines = [headline(view, terminal), ...shown.map((phase) => phaseRow(phase, view, layout))];
  if (hidden.size > 0) lines.push(hiddenLine(hidden, terminal));
  return [...lines, ...problem].slice(0, Math.max(1, terminal.rows));
}

/** The run in one line. Its id comes last: it is long, and the first thing that may be cut. */
function headline(view: RunView, { palette, nowMs, columns }: TreeTerminal): string {
  const plan = [view.plan_id ?? "run", view.plan_version ?? ""].join(" ").trim();
  let over = 0;
  for (const { status } of view.phases.values()) if (status !== "pending" && status !== "running") over += 1;
  const isRunning = view.status === "running";
  const progress = runProgressAt(view, nowMs);
  const percent = isRunning ? percentText(progress) : "";
  const eta = isRunning ? etaText(progress.eta_sec) : "";
  const segments: Segment[] = [
    { text: plan, paint: palette.strong },
    { text: `  ${view.status}`, paint: palette.status(view.status) },
    { text: view.is_paused ? " (paused)" : "", paint: palette.level("warn") },
    { text: view.phases.size === 0 ? "" : `  ${over}/${formatCount(view.phases.size, "phase")}` },
    { text: percent === "" ? "" : `  ${percent}` },
    { text: view.started_at_ms === null ? "" : `  ${formatDuration(wallTimeMs(view, nowMs))}` },
    { text: eta === "" ? "" : `, ${eta}` },
    { text: `  ${view.run_id}`, paint: palette.faint },
  ];
  return renderLine(segments, columns);
}

function hiddenLine(hidden: ReadonlyMap<string, number>, { palette, columns }: TreeTerminal): string {
  const counts = [...hidden].map(([status, count]) => `${count} ${status}`);
  return renderLine([{ text: `  … and ${counts.join(", ")}`, paint: palette.faint }], columns);
}

/** How to answer the phases that wait for a person. */
function approvalLines(view: RunView, { palette, columns }: TreeTerminal): string[] {
  return approveCommands(view).map((command) =>
    renderLine(
      [
        { text: "to approve: ", paint: palette.level("warn") },
        { text: command, paint: palette.strong },
        { text: " (or --reject, with --comment TEXT)", paint: palette.faint },
      ],
      columns,
    ),
  );
}

/** What a problem means for its shard or phase. */
function problemLabel(problem: Problem): string {
  return problem.is_final ? failureLabel(problem) : "retried";
}

function problemLines(problem: Problem | null, { palette, columns }: TreeTerminal): string[] {
  if (problem === null) return [];
  const exit = problemExit(problem);
  const paint = palette.level(problem.is_final ? "error" : "warn");
  const segments: Segment[] = [
    { text: `${problemLabel(problem)}: `, paint },
    { text: problemPlace(problem) },
    { text: exit === undefined ? "" : `, ${exit}` },
    { text: `: ${problem.why}` },
  ];
  const lines = [renderLine(segments, columns)];
  if (problem.next_action !== null) lines.push(renderLine([{ text: `  next: ${problem.next_action}` }], columns));
  return lines;
}
