import { compilePlanValue, formatProblem } from "@fanfold/core";

const TIMEOUT_MS = 600_000;

/** Compiles a plan that must be valid; what is measured is its run. */
export function compile(plan) {
  const result = compilePlanValue(plan, { baseDir: "." });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.plan;
}

/** Submits a compiled plan and waits until its submitter sees its end. @returns wall time and the run's journal events */
export async function measureRun({ engine, store }, plan) {
  const startedAt = performance.now();
  const { runId } = await engine.submit(plan);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let last;
  for await (const line of store.journal.follow(runId, 0, { signal })) {
    last = line;
    if (/^run_(succeeded|failed|cancelled)$/.test(line.event)) break;
  }
  const ms = performance.now() - startedAt;
  if (last?.event !== "run_succeeded")
    throw new Error(`${runId} ended with ${last?.event}: ${JSON.stringify(last?.data)}`);
  return { ms, runId };
}
