import type { RunReport } from "../../src/report-document.ts";
import { buildReport } from "../../src/report-document.ts";
import { emptyRunView, withPhases } from "@fanfold/core";
import { START_MS, TestRun } from "./run-fixture.ts";

/** The phases of {@link localiseRun}. */
const DECLARED = [
  { id: "ingest", depends_on: [] },
  { id: "context", depends_on: ["ingest"] },
  { id: "translate[language=french]", depends_on: ["ingest", "context"] },
  { id: "translate[language=japanese]", depends_on: ["ingest", "context"] },
  { id: "qa", depends_on: ["translate[language=french]", "translate[language=japanese]"] },
  { id: "export", depends_on: ["archive"] },
  { id: "announce", depends_on: ["export"] },
  { id: "archive", depends_on: [] },
];

/** A run with retries, a tolerated shard and costs, of which a phase failed for good, one was blocked, one left out, and that cost something. */
export function localiseRun(): TestRun {
  const french = "translate[language=french]";
  const japanese = "translate[language=japanese]";
  const run = new TestRun(DECLARED, "run_0192f1c8-77aa-7000-8000-000000000001")
    .add(0, "run_queued", {}, { plan_id: "localise", plan_version: "2.1", phase_count: 8 })
    .add(20, "run_started")
    .add(0, "phase_skipped", { phase: "archive" }, { cause: "not_selected", cause_phase: null })
    .add(0, "phase_blocked", { phase: "export" }, { error_code: "missing_dependency", missing: ["archive"] })
    .add(0, "phase_skipped", { phase: "announce" }, { cause: "missing_dependency", cause_phase: "archive" })
    .add(0, "phase_started", { phase: "ingest" }, { revision: 1, shard_count: 1 })
    .work("ingest", 0)
    .add(0, "phase_succeeded", { phase: "ingest" }, { revision: 1 })
    .add(0, "phase_started", { phase: "context" }, { revision: 1, shard_count: 2 });
  for (const shard of [0, 1]) workAtCost(run, { phase: "context", shard }, 4_000, 0.012);
  run
    .add(0, "phase_succeeded", { phase: "context" }, { revision: 1 })
    .add(0, "phase_started", { phase: french }, { revision: 1, shard_count: 4 })
    .add(0, "phase_started", { phase: japanese }, { revision: 1, shard_count: 3 });
  workAtCost(run, { phase: french, shard: 0 }, 2_000, 0.25);
  workAtCost(run, { phase: japanese, shard: 0 }, 2_500, 0.3);
  workAtCost(run, { phase: french, shard: 1 }, 2_000, 0.25);
  retryThenFail(run, { phase: japanese, shard: 1 });
  workAtCost(run, { phase: french, shard: 2 }, 1_000, null);
  retryThenFail(run, { phase: french, shard: 3 });
  return run
    .add(0, "phase_succeeded", { phase: french }, { revision: 1, tolerated_shards: 1 })
    .add(0, "phase_failed", { phase: japanese }, { error_code: "shards_failed", why: "1 of 3 shards failed" })
    .add(0, "phase_skipped", { phase: "qa" }, { cause: "dependency_failed", cause_phase: japanese })
    .add(0, "run_failed", {}, { duration_ms: 19_000, failed_phases: [japanese] });
}

interface Shard {
  readonly phase: string;
  readonly shard: number;
}

function workAtCost(run: TestRun, shard: Shard, durationMs: number, costUsd: number | null): void {
  const usage = {
    prompt_tokens: durationMs,
    completion_tokens: 500,
    total_tokens: durationMs + 500,
    cost_usd: costUsd,
  };
  run
    .add(0, "shard_started", { ...shard, attempt: 1 }, { worker: "w1" })
    .add(durationMs, "shard_succeeded", { ...shard, attempt: 1 }, { duration_ms: durationMs, usage });
}

function retryThenFail(run: TestRun, shard: Shard): void {
  const failure = {
    error_code: "COMMAND_FAILED",
    why: 'no glossary entry for "ramen"',
    exit_code: 3,
    duration_ms: 750,
  };
  run
    .add(0, "shard_started", { ...shard, attempt: 1 }, { worker: "w1" })
    .add(750, "shard_retry", { ...shard, attempt: 1 }, { ...failure, delay_ms: 1_000 })
    .add(1_000, "shard_started", { ...shard, attempt: 2 }, { worker: "w2" })
    .add(750, "shard_failed", { ...shard, attempt: 2 }, { ...failure, attempts: 2, next_action: "add the entry" });
}

/** The report of a run's journal, as of some time after its start. */
export async function reportOf(run: TestRun, afterMs = 60_000): Promise<RunReport> {
  const declared = [...run.view.phases.values()].map(({ phase, depends_on }) => ({ id: phase, depends_on }));
  return buildReport(withPhases(emptyRunView(run.view.run_id), declared), run.lines, START_MS + afterMs);
}
