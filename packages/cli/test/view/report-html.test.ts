import { expect, test } from "vitest";
import { renderReportHtml } from "../../src/view/report-html.ts";
import { localiseRun, reportOf } from "./report-fixture.ts";
import { HOSTILE, hugeRun, runningRun, TestRun } from "./run-fixture.ts";

const EVIL = `<script>alert(1)</script><img src=x onerror="alert('2')">\`&lt;\` ${HOSTILE}`;

/** Markup of the page without its style, in which nothing of a run stands. */
async function bodyOf(run: TestRun, afterMs?: number): Promise<string> {
  return renderReportHtml(await reportOf(run, afterMs)).replace(/<style>[\s\S]*<\/style>/, "");
}

function evilRun(): TestRun {
  const place = { phase: EVIL, shard: 0, attempt: 1 };
  const failure = { why: EVIL, next_action: EVIL, signal: EVIL, error_code: EVIL, duration_ms: 5 };
  return new TestRun([{ id: EVIL, depends_on: [] }], EVIL)
    .add(0, "run_queued", {}, { plan_id: EVIL, plan_version: EVIL })
    .add(0, "run_started")
    .add(0, "shard_started", place)
    .add(5, "shard_failed", place, failure)
    .add(0, "phase_failed", { phase: EVIL }, { error_code: EVIL, why: EVIL })
    .add(0, "phase_skipped", { phase: "skipped" }, { cause: EVIL, cause_phase: EVIL })
    .add(0, "phase_blocked", { phase: "blocked" }, { missing: [EVIL] })
    .add(0, "run_failed", {}, { cause: EVIL });
}

test("is one page that loads and runs nothing", async () => {
  const page = renderReportHtml(await reportOf(localiseRun()));
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(page).not.toMatch(
    /<(?:script|link|iframe|object|embed|img|base|form)\b|\bon\w+=|\bsrc=|\bhref=|url\(|@import/i,
  );
});

test("shows the same figures as the report in a terminal", async () => {
  const body = await bodyOf(localiseRun());
  const facts = ["19.5 s, a speed-up of 0.91x", "18,500 (15,500 in, 3,000 out)", "at least $0.824"];
  for (const fact of facts) expect(body).toContain(`<dd>${fact}</dd>`);
  expect(body).toContain("ingest &gt; context &gt; translate[language=french]");
  expect(body).toContain("<p>no glossary entry for &quot;ramen&quot;</p>");
  expect(body).toContain("--phase &#39;translate[language=japanese]&#39; --shard 1");
});

test("gives each phase a row, with why it did not run", async () => {
  const rows = (await bodyOf(localiseRun())).split("\n").filter((line) => line.startsWith('<tr><th scope="row">'));
  expect(rows.slice(2, 7).join("\n")).toMatchInlineSnapshot(`
    "<tr><th scope="row">translate[language=french]<div class="why">1 failed shard tolerated</div></th><td><span class="status succeeded">succeeded</span></td><td class="number">3/4</td><td class="number">12.5 s</td><td class="number">58 %</td><td class="number">5</td><td class="number">6.5 s</td><td class="number">6,500</td><td class="number">at least $0.50</td></tr>
    <tr><th scope="row">translate[language=japanese]</th><td><span class="status failed">failed</span></td><td class="number">1/3</td><td class="number">12.5 s</td><td class="number"></td><td class="number">3</td><td class="number">4.0 s</td><td class="number">3,000</td><td class="number">$0.30</td></tr>
    <tr><th scope="row">qa<div class="why">translate[language=japanese] failed</div></th><td><span class="status skipped">skipped</span></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td></tr>
    <tr><th scope="row">export<div class="why">no accepted output of archive</div></th><td><span class="status blocked">blocked</span></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td></tr>
    <tr><th scope="row">announce<div class="why">archive has no accepted output</div></th><td><span class="status skipped">skipped</span></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td><td class="number"></td></tr>"
  `);
});

test("draws a bar for each phase that started, on one scale, with the critical path marked", async () => {
  const timeline = /<svg[\s\S]*<\/svg>/.exec(await bodyOf(localiseRun()))?.[0];
  expect(timeline).toMatchInlineSnapshot(`
    "<svg class="timeline" viewBox="0 0 960 132" role="img" aria-label="When each phase ran">
    <g class="tick"><line x1="220" y1="18" x2="220" y2="132"/><text x="220" y="12" text-anchor="middle">0</text></g>
    <g class="tick"><line x1="364.2" y1="18" x2="364.2" y2="132"/><text x="364.2" y="12" text-anchor="middle">5 s</text></g>
    <g class="tick"><line x1="508.4" y1="18" x2="508.4" y2="132"/><text x="508.4" y="12" text-anchor="middle">10 s</text></g>
    <g class="tick"><line x1="652.6" y1="18" x2="652.6" y2="132"/><text x="652.6" y="12" text-anchor="middle">15 s</text></g>
    <g class="tick"><line x1="796.7" y1="18" x2="796.7" y2="132"/><text x="796.7" y="12" text-anchor="middle">20 s</text></g>
    <g><title>ingest: succeeded, 1.0 s, on the critical path</title><text class="name" x="0" y="37">ingest</text><rect class="bar succeeded" x="220" y="24" width="28.8" height="16" rx="3"/><rect class="critical" x="220" y="42" width="28.8" height="3" rx="1.5"/><text class="label" x="254.8" y="37">1.0 s</text></g>
    <g><title>context: succeeded, 8.0 s, on the critical path</title><text class="name" x="0" y="63">context</text><rect class="bar succeeded" x="248.8" y="50" width="230.7" height="16" rx="3"/><rect class="critical" x="248.8" y="68" width="230.7" height="3" rx="1.5"/><text class="label" x="485.5" y="63">8.0 s</text></g>
    <g><title>translate[language=french]: succeeded, 12.5 s, on the critical path</title><text class="name" x="0" y="89">translate[language=french]</text><rect class="bar succeeded" x="479.5" y="76" width="360.5" height="16" rx="3"/><rect class="critical" x="479.5" y="94" width="360.5" height="3" rx="1.5"/><text class="label" x="846" y="89">12.5 s</text></g>
    <g><title>translate[language=japanese]: failed, 12.5 s</title><text class="name" x="0" y="115">translate[language=japanese]</text><rect class="bar failed" x="479.5" y="102" width="360.5" height="16" rx="3"/><text class="label" x="846" y="115">12.5 s, failed</text></g>

    </svg>"
  `);
});

test("draws what still runs up to now", async () => {
  const body = await bodyOf(runningRun(), 10_000);
  expect(body).toContain("8.9 s, running</text>");
  expect(body).toContain("<dt>progress</dt><dd>34 %, 19.4 s left</dd>");
});

test("has no timeline before anything started", async () => {
  expect(await bodyOf(new TestRun())).not.toContain("<svg");
});

test("draws the longest of very many phases, and says how many it leaves out", async () => {
  const body = await bodyOf(hugeRun({ succeeded: 400, failed: 30, running: 9 }));
  expect(body.match(/<rect class="bar/g)).toHaveLength(150);
  expect(body).toContain("289 shorter phases not drawn.");
});

test("shows hostile names and messages as the text they are", async () => {
  const body = await bodyOf(evilRun());
  expect(body).not.toMatch(/<(?:script|img)/i);
  expect(body).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  // oxlint-disable-next-line no-control-regex -- that is what must not be there
  expect(body).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202a-\u202e]/);
});

test("holds no tag and no attribute but its own, whatever a run is called", async () => {
  const tags = new Set(
    (await bodyOf(evilRun())).match(/<\/?[a-z][^>]*>/g)?.map((tag) => tag.replaceAll(/"[^"]*"/g, '""')),
  );
  expect([...tags].sort().join("\n")).toMatchInlineSnapshot(`
    "</body>
    </dd>
    </div>
    </dl>
    </dt>
    </footer>
    </g>
    </h1>
    </h2>
    </head>
    </header>
    </html>
    </main>
    </p>
    </pre>
    </section>
    </span>
    </strong>
    </svg>
    </table>
    </tbody>
    </td>
    </text>
    </th>
    </thead>
    </title>
    </tr>
    <body>
    <dd>
    <div class="">
    <div>
    <dl>
    <dt>
    <footer>
    <g class="">
    <g>
    <h1>
    <h2>
    <head>
    <header>
    <html lang="">
    <line x1="" y1="" x2="" y2=""/>
    <main>
    <meta charset="">
    <meta http-equiv="" content="">
    <meta name="" content="">
    <p class="">
    <p>
    <pre>
    <rect class="" x="" y="" width="" height="" rx=""/>
    <section aria-label="">
    <section>
    <span class="">
    <strong>
    <svg class="" viewBox="" role="" aria-label="">
    <table>
    <tbody>
    <td class="">
    <td>
    <text class="" x="" y="">
    <text x="" y="" text-anchor="">
    <th scope="" class="">
    <th scope="">
    <thead>
    <title>
    <tr>"
  `);
});
