import { formatNumber, type PhaseDocument } from "@fanfold/core";
import type { RunReport } from "../report-document.ts";
import { durationText, shareText } from "./report-facts.ts";
import { costText } from "./usage-text.ts";

/** A column of figures in a table of phases. */
export interface PhaseColumn {
  readonly title: string;
  /** What it says of a phase; empty where there is nothing to say. */
  readonly text: (phase: PhaseDocument) => string;
}

/** The figures a report gives of these phases, the most telling first; a column that says nothing is left out. */
export function phaseColumns(report: RunReport, phases: readonly PhaseDocument[]): PhaseColumn[] {
  const critical = new Set(report.critical_path);
  const columns: PhaseColumn[] = [
    { title: "Shards", text: shardText },
    { title: "Wall", text: ({ wall_time_sec: wallSec }) => durationText(wallSec) },
    { title: "Critical", text: (phase) => (critical.has(phase.phase) ? criticalShare(phase, report) : "") },
    { title: "Attempts", text: ({ attempts }) => (attempts === 0 ? "" : formatNumber(attempts)) },
    { title: "Serial", text: ({ attempts, serial_time_sec: sec }) => (attempts === 0 ? "" : durationText(sec)) },
    { title: "Tokens", text: ({ tokens }) => (tokens.total === 0 ? "" : formatNumber(tokens.total)) },
    { title: "Cost", text: costText },
  ];
  return columns.filter(({ text }) => phases.some((phase) => text(phase) !== ""));
}

function shardText({ shards, started_at_ms: startedAtMs }: PhaseDocument): string {
  return startedAtMs === null ? "" : `${formatNumber(shards.succeeded)}/${formatNumber(shards.total)}`;
}

/** The part of the critical path that a phase on it takes. */
function criticalShare({ wall_time_sec: wallSec }: PhaseDocument, report: RunReport): string {
  return report.critical_path_sec === 0 ? "" : shareText((wallSec ?? 0) / report.critical_path_sec);
}
