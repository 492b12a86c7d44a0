import { html, type Markup } from "./html-markup.ts";

/** The style of a report's page, light or dark as its reader likes; every status also has its word. */
export const REPORT_STYLE: Markup = html`<style>
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1c2430; --faint: #596675; --line: #dde2e8;
  --succeeded: #1b7f5c; --failed: #c02b2b; --running: #1f66c1; --blocked: #8a3fb0; --waiting: #626d79; --stopped: #8a5c08;
  --critical: #1c2430;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --text: #e5eaf0; --faint: #9aa7b5; --line: #2d3642;
    --succeeded: #4cc398; --failed: #ff7b72; --running: #6cabff; --blocked: #cf96ee; --waiting: #8b96a3; --stopped: #e0aa4b;
    --critical: #e5eaf0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 64rem; margin: 0 auto; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0 0 .75rem; font-size: 1.05rem; }
section { margin-top: 1.25rem; padding: 1.1rem 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.run { margin: .3rem 0 0; color: var(--faint); overflow-wrap: anywhere; }
.status { font-weight: 600; white-space: nowrap; }
.status::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .45em; border-radius: 50%; background: currentColor; }
.status.succeeded { color: var(--succeeded); } .status.failed { color: var(--failed); } .status.running { color: var(--running); }
.status.blocked { color: var(--blocked); } .status.pending, .status.queued { color: var(--waiting); }
.status.skipped, .status.cancelled { color: var(--stopped); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .9rem 1.5rem; margin: 0; }
dl .wide { grid-column: 1 / -1; }
dt { color: var(--faint); font-size: .8rem; } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem 1rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-size: .8rem; font-weight: 500; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { color: inherit; font-size: inherit; font-weight: 400; white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
.number { text-align: right; white-space: nowrap; } th:last-child, td:last-child { padding-right: 0; }
.why { color: var(--faint); font-size: .85rem; }
.note { margin: .6rem 0 0; color: var(--faint); font-size: .85rem; }
.timeline { display: block; width: 100%; min-width: 40rem; font: 12px system-ui, sans-serif; }
.timeline text { fill: var(--text); } .timeline .tick text, .timeline .label { fill: var(--faint); }
.timeline line { stroke: var(--line); }
.bar { fill: var(--waiting); } .bar.succeeded { fill: var(--succeeded); } .bar.failed { fill: var(--failed); } .bar.running { fill: var(--running); }
.bar.cancelled, .bar.skipped { fill: var(--stopped); } .bar.blocked { fill: var(--blocked); }
.critical { fill: var(--critical); } .key { display: inline-block; width: 1.5rem; height: 3px; margin-right: .4rem; border-radius: 2px; background: var(--critical); vertical-align: middle; }
.failure + .failure { margin-top: .9rem; padding-top: .9rem; border-top: 1px solid var(--line); }
.failure p { margin: .15rem 0 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: .75rem 1rem; overflow-x: auto; background: var(--page); border-radius: 6px; font: 13px/1.6 ui-monospace, monospace; }
footer { margin-top: 1rem; color: var(--faint); font-size: .8rem; }
@media print { body { padding: 0; background: none; } section { break-inside: avoid; } }
</style>`;
