import { describeCause, formatCount, formatDuration, type PhaseDocument } from "@fanfold/core";
import type { RunReport } from "../report-document.ts";
import { etaText, percentText } from "./progress-text.ts";
import { costText, tokenText } from "./usage-text.ts";

/** A label and what is to be said under it. */
export type Fact = readonly [label: string, text: string];

/** Phases on the critical path that are named; the rest is counted. */
const MAX_PATH = 12;

/** The figures of a run in words, in the order they are read. What is unknown, or not worth a word, is left out. */
export function reportFacts(report: RunReport): Fact[] {
  const counts = Object.entries(report.phase_counts).filter(([, count]) => count > 0);
  const facts: Fact[] = [
    ["why", report.cause === null ? "" : describeCause(report.cause.code, report.cause.phase)],
    ["started", report.started_at_ms === null ? "" : timeText(report.started_at_ms)],
    ["wall time", durationText(report.wall_time_sec)],
    ["progress", progressText(report)],
    ["waits for", approvalText(report)],
    ["phases", counts.map(([status, count]) => `${count} ${status}`).join(", ")],
    ["shards", `${report.shards.succeeded} of ${report.shards.total} succeeded`],
    ["tolerated", toleratedText(report)],
    ["attempts", `${report.attempts} (${retryText(report.retries)}, ${report.lost} lost)`],
    ["serial time", speedupText(report)],
    ["waste", report.waste_ratio === null ? "" : `${shareText(report.waste_ratio)} of the serial time`],
    ["tokens", tokenText(report.tokens)],
    ["cost", costText(report)],
    ["critical path", criticalText(report)],
  ];
  return facts.filter(([, text]) => text !== "");
}

/** Phases a report tells of: those that take part in the run. */
export function toldPhases(report: RunReport): readonly PhaseDocument[] {
  return report.phases.filter(({ cause }) => cause?.code !== "not_selected");
}

/** A share in words, in whole percents. */
export function shareText(share: number): string {
  if (share > 0 && share < 0.01) return "<1 %";
  return `${Math.round(share * 100)} %`;
}

/** A duration in words; empty where there is none. */
export function durationText(durationSec: number | null): string {
  return durationSec === null ? "" : formatDuration(durationSec * 1_000);
}

/** A time in words: `2026-03-01 12:00:00 UTC`. */
export function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function progressText({ status, progress }: RunReport): string {
  if (status === "succeeded") return "";
  return [percentText(progress), etaText(progress.eta_sec)].filter((text) => text !== "").join(", ");
}

function toleratedText({ status, tolerated_failures: phases, tolerated_shards: shards }: RunReport): string {
  const parts = [
    status === "succeeded" && phases > 0 ? formatCount(phases, "failed phase") : "",
    shards > 0 ? formatCount(shards, "failed shard") : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function approvalText({ phases }: RunReport): string {
  const waiting = phases.flatMap(({ phase, approval }) => (approval === null ? [] : [phase]));
  return waiting.length === 0 ? "" : `the approval of ${waiting.join(", ")}`;
}

function retryText(retries: number): string {
  return retries === 1 ? "1 retry" : `${retries} retries`;
}

function speedupText({ serial_time_sec: serialSec, speedup_vs_serial: speedup }: RunReport): string {
  return `${durationText(serialSec)}${speedup === null ? "" : `, a speed-up of ${speedup.toFixed(2)}x`}`;
}

function criticalText({ critical_path: path, critical_path_sec: pathSec }: RunReport): string {
  if (path.length === 0) return "";
  const more = path.length > MAX_PATH ? ` and ${path.length - MAX_PATH} more` : "";
  return `${durationText(pathSec)}: ${path.slice(0, MAX_PATH).join(" > ")}${more}`;
}
