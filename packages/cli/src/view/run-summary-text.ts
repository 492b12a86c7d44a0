import {
  type ArtifactView,
  describeCause,
  formatBytes,
  formatCount,
  formatDuration,
  listFailures,
  type Problem,
  type RunSummary,
  type RunView,
  summariseRun,
} from "@fanfold/core";
import { MAX_FAILURES_TOLD, nextCommands } from "./next-commands.ts";
import { fitToWidth, plainLogLine, plainText, wrapText } from "./plain-text.ts";
import { failureLabel, problemExit, problemPlace } from "./problem-text.ts";
import { createPalette, type Palette, renderLine, type TextStyle } from "./text-style.ts";
import { costText, tokenText } from "./usage-text.ts";

const MAX_LOG_LINES = 20;
const MAX_OUTPUTS = 20;
const MAX_NAMES = 5;
const MAX_TEXT_LINES = 6;
const MIN_TEXT_COLUMNS = 20;
const LABEL_COLUMNS = 9;
const SHORT_HASH_CHARS = 12;

/** The last log lines of a failed shard; `shard` is `null` for a phase that failed as a whole. */
export interface FailureLog {
  readonly phase: string | null;
  readonly shard: number | null;
  readonly lines: readonly string[];
}

/** Where an output of a phase was put; null: nowhere. */
export interface OutputPlace {
  readonly phase: string;
  readonly name: string;
  readonly file: string | null;
}

/** What a summary tells beyond the view. */
export interface SummaryExtras {
  /** Where outputs were put on this machine. */
  readonly outputs?: readonly OutputPlace[] | undefined;
  /** Last log lines of failures: those of the first ones `listFailures` gives are printed. */
  readonly logs?: readonly FailureLog[] | undefined;
}

/** What the lines of a summary are printed with. */
interface Page {
  readonly palette: Palette;
  readonly columns: number;
}

/**
 * The block a run ends with: its figures and outputs, and on failure what failed, why, the last log lines
 * and what to type next. Commands, hashes and paths are never cut. No line break at the end.
 */
export function renderSummary(view: RunView, extras: SummaryExtras = {}, style: TextStyle = {}): string {
  const page = { palette: createPalette(style.color ?? false), columns: style.columns ?? Number.POSITIVE_INFINITY };
  const failures = view.status === "failed" ? listFailures(view) : [];
  return [
    headline(view, page),
    ...figures(view).flatMap(([label, text]) => entry(label, text, page)),
    ...outputLines(view, extras, page),
    ...failures.slice(0, MAX_FAILURES_TOLD).flatMap((failure) => failureLines(failure, extras, page)),
    ...untoldLines(view, failures, page),
    ...nextLines(view, failures, page),
  ].join("\n");
}

function headline(view: RunView, { palette }: Page): string {
  return renderLine([
    { text: `run ${view.run_id}  `, paint: palette.strong },
    { text: view.status, paint: palette.status(view.status) },
  ]);
}

function figures(view: RunView): [label: string, text: string][] {
  const summary = summariseRun(view);
  const phases = Object.entries(summary.phases).filter(([, count]) => count > 0);
  const tolerated = view.status === "succeeded" ? summary.tolerated_failures : 0;
  const speedup = summary.speedup_vs_serial;
  const retries = summary.retries === 1 ? "1 retry" : `${summary.retries} retries`;
  const effort = `${summary.attempts} (${retries}, ${summary.lost} lost)`;
  const serial = formatDuration(summary.serial_time_sec * 1_000);
  const entries: [string, string][] = [
    ["why", view.cause === null ? "" : describeCause(view.cause.code, view.cause.phase)],
    ["plan", [view.plan_id ?? "", view.plan_version ?? ""].join(" ").trim()],
    ["phases", phases.map(([status, count]) => `${count} ${status}`).join(", ")],
    ["tolerated", tolerated > 0 ? failedPhaseNames(view) : ""],
    [
      "shards",
      `${summary.shards.succeeded} of ${summary.shards.total} succeeded${toleratedShards(summary)}${reusedShards(summary)}`,
    ],
    ["attempts", effort],
    ["wall time", formatDuration(summary.wall_time_sec * 1_000)],
    ["speed-up", speedup === null ? "" : `${speedup.toFixed(2)}x, ${serial} one after another`],
    ["tokens", tokenText(summary.tokens)],
    ["cost", costText(summary)],
  ];
  return entries.filter(([, text]) => text !== "");
}

function toleratedShards({ tolerated_shards: count }: RunSummary): string {
  return count > 0 ? `, ${formatCount(count, "failed one")} tolerated` : "";
}

function reusedShards({ reused_shards: count }: RunSummary): string {
  return count > 0 ? `, ${count} reused` : "";
}

function failedPhaseNames(view: RunView): string {
  const names = [...view.phases.values()].filter(({ status }) => status === "failed").map(({ phase }) => phase);
  const more = names.length - MAX_NAMES;
  return `failure of ${names.slice(0, MAX_NAMES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Artifacts of phases nothing depends on: what the run was for. */
function outputLines(view: RunView, extras: SummaryExtras, page: Page): string[] {
  const outputs = [...view.phases.values()]
    .filter((phase) => !phase.has_dependents)
    .flatMap(({ phase, artifacts }) => artifacts.map((artifact) => ({ ...artifact, phase })));
  const told = outputs.slice(0, MAX_OUTPUTS);
  const nameColumns = Math.max(0, ...told.map(({ name }) => plainText(name).length));
  const lines = told.map((artifact, index) => {
    const label = fitToWidth(index === 0 ? "outputs" : "", LABEL_COLUMNS);
    return renderLine([
      { text: `  ${label}`, paint: page.palette.faint },
      { text: `  ${outputText(artifact, extras, nameColumns)}` },
    ]);
  });
  if (outputs.length > told.length) lines.push(...entry("", `… and ${outputs.length - told.length} more`, page));
  return lines;
}

function outputText(
  { phase, name, sha256, size_bytes: sizeBytes }: ArtifactView & { readonly phase: string },
  { outputs = [] }: SummaryExtras,
  nameColumns: number,
): string {
  const path = outputs.find((output) => output.phase === phase && output.name === name)?.file;
  const columns = [fitToWidth(plainText(name), nameColumns), sha256.slice(0, SHORT_HASH_CHARS), formatBytes(sizeBytes)];
  return [...columns, ...(typeof path === "string" ? [path] : [])].join("  ");
}

function failureLines(failure: Problem, extras: SummaryExtras, page: Page): string[] {
  const { palette, columns } = page;
  const log = extras.logs?.find(({ phase, shard }) => phase === failure.phase && shard === failure.shard);
  const exit = problemExit(failure);
  return [
    "",
    renderLine(
      [
        { text: `${failureLabel(failure)}  `, paint: palette.level("error") },
        { text: problemPlace(failure), paint: palette.strong },
        { text: exit === undefined ? "" : `, ${exit}` },
      ],
      columns,
    ),
    ...entry("why", failure.why, page),
    ...(failure.next_action === null ? [] : entry("next", failure.next_action, page)),
    ...(log?.lines.slice(-MAX_LOG_LINES) ?? []).map((line) =>
      renderLine([{ text: "  | ", paint: palette.faint }, { text: plainLogLine(line) }], columns),
    ),
  ];
}

function untoldLines(view: RunView, failures: readonly Problem[], { columns }: Page): string[] {
  const untold = failures.length - MAX_FAILURES_TOLD;
  if (untold <= 0) return [];
  return [
    "",
    renderLine([{ text: `… and ${formatCount(untold, "more failure")}: fanfold status ${view.run_id}` }], columns),
  ];
}

function nextLines(view: RunView, failures: readonly Problem[], { palette }: Page): string[] {
  const commands = nextCommands(view, failures);
  if (commands.length === 0) return [];
  return [
    "",
    "next:",
    ...commands.map((command) => renderLine([{ text: "  " }, { text: command, paint: palette.strong }])),
  ];
}

/** A label and its text, which goes on below itself when it is too long for one line. */
function entry(label: string, text: string, { palette, columns }: Page): string[] {
  const room = Math.max(MIN_TEXT_COLUMNS, columns - LABEL_COLUMNS - 4);
  return wrapText(plainText(text), room, MAX_TEXT_LINES).map((line, index) =>
    renderLine([
      { text: `  ${fitToWidth(index === 0 ? label : "", LABEL_COLUMNS)}`, paint: palette.faint },
      { text: `  ${line}` },
    ]),
  );
}
