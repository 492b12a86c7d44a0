import { once } from "node:events";
import { request } from "node:http";
import { chromium } from "playwright-core";
import { compile, timeRun, untilOver } from "../setup/measure-run.mjs";

const SHARDS = 10_000;
/** Shards that are done when the page is opened: the rest of the run is live. */
const DONE_BEFORE = 1_000;
/** Time in which frames are watched, in ms. */
const WATCHED_MS = 6_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];

/** The page of a run of 10,000 shards while it runs, in Chromium: when it shows the run, and its longest frame after. */
export const d1 = [
  {
    id: "D1",
    title: `page of a live run of ${SHARDS} shards: until the run is shown`,
    must: { ms: 1_500, longest_frame_ms: 200 },
    prepare: preparePage,
  },
];

const STREAMS = 500;
const STREAMED_SHARDS = 500;

/** Open streams of one run's journal on one dashboard: what they do to the run, and to the dashboard's memory. */
export const d2 = [
  {
    id: "D2",
    title: `run of ${STREAMED_SHARDS} shards, its journal streamed ${STREAMS} times, until every stream has its end`,
    baseline: "no stream",
    prepare: prepareStreams,
  },
];

function waitingPlan(count) {
  const shard = { strategy: "chunk", over: Array.from({ length: count }, (_, n) => ({ n })), chunk_size: 1 };
  const merge = { strategy: "concat" };
  return compile({
    plan_id: "watched",
    version: "1",
    phases: [
      { id: "fan", handler: "handlers/wait.mjs", shard, merge },
      { id: "after", handler: "handlers/none.mjs", depends_on: ["fan"] },
    ],
  });
}

async function preparePage(bench) {
  const fanfold = await bench.startFanfold({ workers: 2, concurrency: 5 });
  const url = await bench.startDashboard();
  const executablePath = process.env.FANFOLD_CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  bench.onClose(() => browser.close());
  const plan = waitingPlan(SHARDS);
  const show = (query, shown) => () => measurePage({ ...fanfold, plan, browser, url }, query, shown);
  return {
    fanfold: show("", ".phase-node .shard-bar"),
    "shard table": show("?view=phases&phase=fan", ".shard-canvas .shard-row"),
  };
}

/** Opens the page of a run in the middle of it. `ms`: from the navigation until what is asked for is shown. */
async function measurePage({ engine, store, plan, browser, url }, query, shown) {
  const { runId } = await engine.submit(plan);
  let done = 0;
  for await (const { event } of store.journal.follow(runId, 0, { signal: AbortSignal.timeout(120_000) })) {
    if (event === "shard_succeeded") done += 1;
    if (done === DONE_BEFORE) break;
  }
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, bypassCSP: true });
  try {
    await page.addInitScript(watchPage, shown);
    await page.goto(`${url}/runs/${runId}${query}`);
    await page.waitForFunction("globalThis.watched?.shownMs !== undefined");
    await page.waitForTimeout(WATCHED_MS);
    const { shownMs, frames } = await page.evaluate("globalThis.watched");
    const paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime");
    const sorted = frames.toSorted((a, b) => b - a);
    const figures = { first_contentful_paint_ms: paint, longest_frame_ms: sorted[0] };
    const notes = { frames: frames.length, is_live: !(await store.runs.get(runId)).finished_at_ms };
    return { ms: shownMs, figures, notes };
  } finally {
    await page.close();
    await engine.cancel(runId, "bench");
    await untilOver(store, runId, "run_cancelled");
  }
}

/** Runs in the page: notes when something is there, painted, and how long each frame after it takes. */
function watchPage(selector) {
  globalThis.watched = { shownMs: undefined, frames: [] };
  let last;
  const look = (now) => {
    if (last !== undefined) globalThis.watched.frames.push(now - last);
    if (last === undefined && document.querySelector(selector) !== null) {
      globalThis.watched.shownMs = performance.now();
      last = now;
    } else if (last !== undefined) last = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function prepareStreams(bench) {
  const fanfold = await bench.startFanfold({ workers: 2, concurrency: 5 });
  const url = await bench.startDashboard();
  const plan = waitingPlan(STREAMED_SHARDS);
  return {
    fanfold: () => measureStreams({ ...fanfold, plan, url }),
    "no stream": () => timeRun(fanfold, plan),
  };
}

async function measureStreams({ engine, store, plan, url }) {
  const before = await readFigures(url);
  const startedAt = performance.now();
  const { runId } = await engine.submit(plan);
  const counts = await Promise.all(
    Array.from({ length: STREAMS }, () => countLines(`${url}/api/v1/runs/${runId}/stream`)),
  );
  const ms = performance.now() - startedAt;
  const after = await readFigures(url);
  const lines = await store.journal.lastSeq(runId);
  const whole = counts.filter((count) => count === lines).length;
  if (whole < STREAMS) throw new Error(`${STREAMS - whole} of ${STREAMS} streams lack lines`);
  const figures = {
    dashboard_rss_before_mb: before.rssMb,
    dashboard_rss_mb: after.rssMb,
    loop_lag_p99_ms: after.lagMs,
  };
  return { ms, figures, notes: { lines } };
}

/** Journal lines that a stream brings until its end. */
async function countLines(address) {
  const asked = request(address, { agent: false });
  asked.end();
  const [answer] = await once(asked, "response");
  let count = 0;
  let text = "";
  for await (const chunk of answer) {
    text += chunk.toString("latin1");
    const cut = text.lastIndexOf("\n\n");
    if (cut === -1) continue;
    const whole = text.slice(0, cut + 2);
    text = text.slice(cut + 2);
    count += whole.split("event: journal\n").length - 1;
    if (whole.includes("event: end\n")) break;
  }
  asked.destroy();
  return count;
}

async function readFigures(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const figure = (name) => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]);
  return {
    rssMb: Math.round(figure("process_resident_memory_bytes") / 1024 / 1024),
    lagMs: Math.round(figure("nodejs_eventloop_lag_p99_seconds") * 1_000),
  };
}
