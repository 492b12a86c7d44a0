import { describeCause, eventPlace, formatCount, type PhaseDocument, type Problem } from "@fanfold/core";
import type { RunReport } from "../report-document.ts";
import { type HtmlValue, html, type Markup } from "./html-markup.ts";
import { failureLabel, problemExit, problemPlace } from "./problem-text.ts";
import { type PhaseColumn, phaseColumns } from "./report-columns.ts";
import { durationText, reportFacts, timeText, toldPhases } from "./report-facts.ts";
import { REPORT_STYLE } from "./report-style.ts";
import { renderTimeline } from "./report-timeline.ts";

/** Facts that are too long for a column of their own. */
const WIDE_FACTS = ["why", "critical path"];

/** A page beyond this is no longer read, and slow to open; the JSON has all of it. */
const MAX_ROWS = 2_000;
const MAX_FAILURES = 100;

/**
 * A report as one web page that needs nothing else: no script, no other file, light or dark as its reader likes.
 * Whatever the run's names and messages hold, it shows as text.
 */
export function renderReportHtml(report: RunReport): string {
  const plan = [report.plan_id ?? "run", report.plan_version ?? ""].join(" ").trim();
  const timeline = renderTimeline(report);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${plan}: ${report.status}</title>
${REPORT_STYLE}
</head>
<body>
<main>
<header><h1>${plan} ${status(report.status)}</h1><p class="run">${report.run_id}</p></header>
<section aria-label="Figures"><dl>${reportFacts(report).map(renderFact)}</dl></section>
${timeline === null ? null : section("Timeline", html`${timeline}<p class="note"><span class="key"></span>on the critical path</p>`)}
${renderPhases(report)}
${renderSlowest(report)}
${renderFailures(report)}
<footer>As of ${timeText(report.as_of_ms)}. Written by fanfold report.</footer>
</main>
</body>
</html>
`.toString();
}

function section(title: string, content: HtmlValue): Markup {
  return html`<section><h2>${title}</h2>
${content}</section>`;
}

function status(word: string): Markup {
  return html`<span class="status ${word}">${word}</span>`;
}

function renderFact([label, text]: readonly [string, string]): Markup {
  return html`<div${WIDE_FACTS.includes(label) && html` class="wide"`}><dt>${label}</dt><dd>${text}</dd></div>
`;
}

function renderPhases(report: RunReport): Markup | null {
  const told = toldPhases(report);
  if (told.length === 0) return null;
  const figures = phaseColumns(report, told);
  const rows = told.slice(0, MAX_ROWS).map((phase) => renderPhase(phase, figures));
  const cut = told.length - MAX_ROWS;
  const hidden = report.phases.length - told.length;
  return section(
    "Phases",
    html`<div class="scroll"><table>
<thead><tr><th scope="col">Phase</th><th scope="col">Status</th>${figures.map(({ title }) => numberTitle(title))}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>
${cut > 0 && html`<p class="note">${formatCount(cut, "more phase")} in fanfold report --json.</p>`}${hidden > 0 && html`<p class="note">${formatCount(hidden, "phase")} took no part.</p>`}`,
  );
}

function numberTitle(title: string): Markup {
  return html`<th scope="col" class="number">${title}</th>`;
}

function renderPhase(phase: PhaseDocument, figures: readonly PhaseColumn[]): Markup {
  const cells = figures.map(({ text }) => html`<td class="number">${text(phase)}</td>`);
  return html`<tr><th scope="row">${phase.phase}${remark(phase)}</th><td>${status(phase.status)}</td>${cells}</tr>
`;
}

/** Why a phase did not run, or what its output goes without. */
function remark({ status: word, cause, problem, tolerated_shards: tolerated }: PhaseDocument): Markup | null {
  const isWithout = tolerated > 0 ? `${formatCount(tolerated, "failed shard")} tolerated` : "";
  const blocked = word === "blocked" ? (problem?.why ?? "") : "";
  const caused = cause === null ? "" : describeCause(cause.code, cause.phase);
  const text = blocked || caused || isWithout;
  return text === "" ? null : html`<div class="why">${text}</div>`;
}

function renderSlowest({ slowest_attempts: attempts }: RunReport): Markup | null {
  if (attempts.length === 0) return null;
  const rows = attempts.map(
    (attempt) =>
      html`<tr><th scope="row">${eventPlace(attempt)}</th><td class="number">${durationText(attempt.duration_sec)}</td><td class="number">${attempt.attempt}</td><td>${attempt.outcome}${attempt.error_code !== null && ` (${attempt.error_code})`}</td></tr>
`,
  );
  return section(
    "Slowest attempts",
    html`<div class="scroll"><table>
<thead><tr><th scope="col">Shard</th>${["Time", "Attempt"].map(numberTitle)}<th scope="col">Outcome</th></tr></thead>
<tbody>
${rows}</tbody>
</table></div>`,
  );
}

function renderFailures({ failures, tolerated, next_commands: commands }: RunReport): Markup | null {
  const all = [
    ...failures.map((failure) => renderFailure(failure, status(failureLabel(failure)))),
    ...tolerated.map((failure) => renderFailure(failure, html`tolerated`)),
  ];
  if (all.length === 0 && commands.length === 0) return null;
  const cut = all.length - MAX_FAILURES;
  return section(
    "Failures",
    html`${all.slice(0, MAX_FAILURES)}${cut > 0 && html`<p class="note">${formatCount(cut, "more failure")} in fanfold report --json.</p>`}${
      commands.length > 0 &&
      html`<p class="note">What to type next:</p><pre>${commands.map((command) => html`${command}\n`)}</pre>`
    }`,
  );
}

function renderFailure(failure: Problem, label: Markup): Markup {
  const exit = problemExit(failure);
  return html`<div class="failure"><strong>${problemPlace(failure)}</strong> ${label}${exit !== undefined && `, ${exit}`}
<p>${failure.why}</p>${failure.next_action !== null && html`<p class="why">${failure.next_action}</p>`}</div>
`;
}
