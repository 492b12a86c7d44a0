import { compilePlanValue, formatProblem } from "@fanfold/core";

const TIMEOUT_MS = 600_000;
const RUN_END = /^run_(succeeded|failed|cancelled)$/;

/** Compiles a plan that must be valid; what is measured is its run. */
export function compile(plan) {
  const result = compilePlanValue(plan, { baseDir: "." });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.plan;
}

/** Submits a compiled plan and waits until its submitter sees its end. @returns wall time in ms, the run's id, its journal */
export async function measureRun({ engine, store }, plan) {
  const startedAt = performance.now();
  const { runId } = await engine.submit(plan);
  const lines = await untilOver(store, runId);
  return { ms: performance.now() - startedAt, runId, lines };
}

/** The same, as the result of a side whose wall time is all there is to tell. */
export async function timeRun(client, plan) {
  const { ms } = await measureRun(client, plan);
  return { ms };
}

/** Where the time of a run with one phase went, by the clocks of those who wrote its journal, in ms. */
export function partsOf(lines) {
  const at = (event, find) => Date.parse(lines[find]((line) => line.event === event)?.timestamp);
  const [queued, ended] = [lines[0], lines.at(-1)].map(({ timestamp }) => Date.parse(timestamp));
  const first = at("shard_started", "find");
  const last = at("shard_succeeded", "findLast");
  return { until_first_shard_ms: first - queued, shards_ms: last - first, fold_and_end_ms: ended - last };
}

/** Follows a run to its end. @returns the lines of its journal @throws {Error} unless it succeeds, or is `expected` */
export async function untilOver(store, runId, expected = "run_succeeded", timeoutMs = TIMEOUT_MS) {
  const lines = [];
  for await (const line of store.journal.follow(runId, 0, { signal: AbortSignal.timeout(timeoutMs) })) {
    lines.push(line);
    if (RUN_END.test(line.event)) break;
  }
  const last = lines.at(-1);
  if (last?.event === expected) return lines;
  throw new Error(`${runId} ended with ${last?.event}: ${JSON.stringify(last?.data)}`);
}

/** The output of a phase that has succeeded, as text. */
export async function outputText({ store }, runId, phase) {
  const record = (await store.runs.findPhases(runId, [phase])).get(phase);
  const [artifact] = record?.artifacts ?? [];
  if (artifact === undefined) throw new Error(`${phase} of ${runId} has no output`);
  if (artifact.inline !== undefined) return artifact.inline;
  const chunks = [];
  for await (const chunk of store.artifacts.stream(artifact.sha256)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
