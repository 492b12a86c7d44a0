import { formatDuration, type PhaseDocument } from "@fanfold/core";
import type { RunReport } from "../report-document.ts";
import { createPalette, type TextStyle } from "./text-style.ts";
import { renderTable } from "./text-table.ts";

/** What a comparison tells of a run. */
interface ComparedRun {
  readonly run_id: string;
  readonly plan: string;
  readonly status: string;
  readonly wall_time_sec: number | null;
  readonly attempts: number;
}

/** What a comparison tells of a phase in one of the runs. */
interface ComparedPhase {
  readonly status: string;
  readonly revision: number;
  readonly wall_time_sec: number | null;
  readonly attempts: number;
  readonly artifacts: Readonly<Record<string, string>>;
}

/** Two runs side by side, as plain JSON. A phase that a run does not have is null there. */
export interface RunComparison {
  readonly runs: readonly [ComparedRun, ComparedRun];
  readonly phases: readonly {
    readonly phase: string;
    readonly before: ComparedPhase | null;
    readonly after: ComparedPhase | null;
    /** Null where one of them has no output. */
    readonly is_same_output: boolean | null;
  }[];
}

/** Sets two runs side by side; phases in the order of the first, then those that only the second one has. */
export function compareRuns(before: RunReport, after: RunReport): RunComparison {
  const old = new Map(before.phases.map((phase) => [phase.phase, phase]));
  const later = new Map(after.phases.map((phase) => [phase.phase, phase]));
  const phases = [...new Set([...old.keys(), ...later.keys()])].map((phase) => {
    const [left, right] = [comparedPhase(old.get(phase)), comparedPhase(later.get(phase))];
    return { phase, before: left, after: right, is_same_output: hasSameOutput(left, right) };
  });
  return { runs: [comparedRun(before), comparedRun(after)], phases };
}

function comparedRun(report: RunReport): ComparedRun {
  const { run_id, plan_id, plan_version, status, wall_time_sec, attempts } = report;
  return { run_id, plan: `${plan_id ?? ""} ${plan_version ?? ""}`.trim(), status, wall_time_sec, attempts };
}

function comparedPhase(phase: PhaseDocument | undefined): ComparedPhase | null {
  if (phase === undefined) return null;
  const { status, revision, wall_time_sec, attempts } = phase;
  const artifacts = Object.fromEntries(phase.artifacts.map(({ name, sha256 }) => [name, sha256]));
  return { status, revision, wall_time_sec, attempts, artifacts };
}

function hasSameOutput(a: ComparedPhase | null, b: ComparedPhase | null): boolean | null {
  const names = Object.keys(a?.artifacts ?? {});
  if (a === null || b === null || names.length === 0 || Object.keys(b.artifacts).length === 0) return null;
  return (
    names.length === Object.keys(b.artifacts).length && names.every((name) => a.artifacts[name] === b.artifacts[name])
  );
}

const COLUMNS = ["PHASE", "OUTPUT", "STATUS", "DURATION", "", "ATTEMPTS"].map((title) => ({ title }));
/** Columns that stay on the narrowest terminal. */
const FIXED_COLUMNS = 2;

/** Two runs side by side, for people. */
export function renderComparison({ runs, phases }: RunComparison, style: TextStyle = {}): string {
  const palette = createPalette(style.color ?? false);
  const heads = runs.map(
    ({ run_id, plan, status, wall_time_sec, attempts }) =>
      `${run_id}  ${plan}  ${status}  ${timeText(wall_time_sec)}  ${attempts} attempts`,
  );
  const rows = phases.map(({ phase, before, after, is_same_output }) => [
    phase,
    is_same_output === null ? "" : is_same_output ? "same" : "differs",
    pair(before?.status, after?.status),
    pair(timeText(before?.wall_time_sec ?? null), timeText(after?.wall_time_sec ?? null)),
    changeText(before?.wall_time_sec, after?.wall_time_sec),
    pair(before?.attempts.toString(), after?.attempts.toString()),
  ]);
  const table = renderTable(COLUMNS, rows, {
    columns: style.columns,
    fixedColumns: FIXED_COLUMNS,
    paintTitle: palette.faint,
    paintCell: (row, column) =>
      column === 1 && phases[row]?.is_same_output === false ? palette.status("failed") : undefined,
  });
  return [...heads, "", ...table].join("\n");
}

function pair(before = "none", after = "none"): string {
  return before === after ? before : `${before} → ${after}`;
}

function timeText(sec: number | null): string {
  return sec === null ? "none" : formatDuration(sec * 1_000);
}

function changeText(before: number | null | undefined, after: number | null | undefined): string {
  if (!before || after === null || after === undefined) return "";
  const percent = Math.round((after / before - 1) * 100);
  return percent === 0 ? "" : `${percent > 0 ? "+" : ""}${percent} %`;
}
