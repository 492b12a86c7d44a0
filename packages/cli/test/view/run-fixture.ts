import {
  type DeclaredPhase,
  describeEvent,
  emptyRunView,
  type EventFacts,
  eventLevel,
  reduceRun,
  type RunView,
  withPhases,
} from "@fanfold/core";
import type { EventName, JournalLine } from "@fanfold/schemas";

/** Time of the first line of every test journal. */
export const START_MS = Date.parse("2026-03-01T12:00:00.000Z");

/** The plan of {@link failingRun}. */
const DECLARED: readonly DeclaredPhase[] = [
  { id: "split", depends_on: [] },
  { id: "compile", depends_on: ["split"] },
  { id: "links", depends_on: ["split", "compile"] },
  { id: "verify", depends_on: [{ phase: "links" }] },
];

/** A run's journal in the making, and its view. */
export class TestRun {
  view: RunView;
  readonly lines: JournalLine[] = [];
  #atMs = 0;

  constructor(declared: readonly DeclaredPhase[] = DECLARED, runId = "run_1") {
    this.view = withPhases(emptyRunView(runId), declared);
  }

  /** Adds an event that comes this long after the last one. */
  add(
    afterMs: number,
    event: EventName,
    where: Omit<EventFacts, "event" | "data"> = {},
    data: JournalLine["data"] = {},
  ): this {
    this.#atMs += afterMs;
    const line: JournalLine = {
      seq: this.lines.length + 1,
      timestamp: new Date(START_MS + this.#atMs).toISOString(),
      level: eventLevel(event),
      event,
      run_id: this.view.run_id,
      phase: where.phase ?? null,
      shard: where.shard ?? null,
      attempt: where.attempt ?? null,
      message: describeEvent({ event, ...where, data }),
      data,
    };
    this.lines.push(line);
    this.view = reduceRun(this.view, line);
    return this;
  }

  /** Runs a shard to its success. */
  work(phase: string, shard: number, attempt = 1): this {
    return this.add(0, "shard_started", { phase, shard, attempt }, { worker: "w1", revision: 1 }).add(
      1_000,
      "shard_succeeded",
      { phase, shard, attempt },
      { duration_ms: 1_000, output_bytes: 2_048, revision: 1 },
    );
  }
}

/** A run whose `compile` works: four of eleven shards are done, one backs off, two run, one was lost. */
export function runningRun(): TestRun {
  const run = new TestRun()
    .add(0, "run_queued", {}, { plan_id: "tz", plan_version: "1.0", phase_count: 4 })
    .add(10, "run_started")
    .add(10, "phase_started", { phase: "split" }, { revision: 1, shard_count: 1, pool: "default" })
    .work("split", 0)
    .add(0, "artifact_persisted", { phase: "split" }, { name: "zones", sha256: "cd".repeat(32), size_bytes: 4_096 })
    .add(0, "phase_succeeded", { phase: "split" }, { revision: 1, duration_ms: 1_000 })
    .add(
      0,
      "phase_started",
      { phase: "compile" },
      { revision: 1, shard_count: 11, max_parallel: 3, strategy: "scene" },
    );
  for (const shard of [0, 1, 2, 3]) run.work("compile", shard);
  return run
    .add(0, "shard_started", { phase: "compile", shard: 4, attempt: 1 }, { worker: "w1" })
    .add(0, "shard_started", { phase: "compile", shard: 5, attempt: 1 }, { worker: "w2" })
    .add(500, "shard_lost", { phase: "compile", shard: 5, attempt: 1 }, { worker: "w2", duration_ms: 500 })
    .add(0, "shard_started", { phase: "compile", shard: 5, attempt: 2 }, { worker: "w1" })
    .add(0, "shard_started", { phase: "compile", shard: 6, attempt: 1 }, { worker: "w1" })
    .add(
      250,
      "shard_retry",
      { phase: "compile", shard: 6, attempt: 1 },
      {
        error_code: "COMMAND_FAILED",
        why: "zic: line 12: no such rule",
        exit_code: 1,
        delay_ms: 2_000,
        duration_ms: 250,
      },
    );
}

/** The run of {@link runningRun}, after shard 6 failed for good and aborted the plan. */
export function failedRun(): TestRun {
  return runningRun()
    .add(2_000, "shard_started", { phase: "compile", shard: 6, attempt: 2 }, { worker: "w1" })
    .add(
      250,
      "shard_failed",
      { phase: "compile", shard: 6, attempt: 2 },
      {
        error_code: "COMMAND_FAILED",
        why: "zic: line 12: no such rule",
        next_action: "read the shard's log, repair the records, then retry",
        exit_code: 1,
        duration_ms: 250,
        attempts: 2,
      },
    )
    .add(0, "plan_aborted", { phase: "compile" }, { why: "zic: line 12: no such rule" })
    .add(0, "phase_cancelled", { phase: "links" }, { cause: "plan_aborted", cause_phase: "compile" })
    .add(0, "phase_cancelled", { phase: "verify" }, { cause: "plan_aborted", cause_phase: "compile" })
    .add(100, "shard_succeeded", { phase: "compile", shard: 4, attempt: 1 }, { duration_ms: 2_600 })
    .add(100, "shard_succeeded", { phase: "compile", shard: 5, attempt: 2 }, { duration_ms: 2_200 })
    .add(
      0,
      "phase_failed",
      { phase: "compile" },
      { error_code: "shards_failed", why: "1 of 11 shards failed", failed_shards: 1 },
    )
    .add(0, "run_failed", {}, { duration_ms: 8_200, failed_phases: ["compile"] });
}

/** A run of the same plan in which everything works. */
export function succeededRun(): TestRun {
  const run = new TestRun()
    .add(0, "run_queued", {}, { plan_id: "tz", plan_version: "1.0", phase_count: 4 })
    .add(0, "run_started");
  for (const { id } of DECLARED) {
    run.add(0, "phase_started", { phase: id }, { revision: 1, shard_count: 2 });
    for (const shard of [0, 1]) run.add(0, "shard_started", { phase: id, shard, attempt: 1 }, { worker: "w1" });
    for (const shard of [0, 1]) run.add(500, "shard_succeeded", { phase: id, shard, attempt: 1 }, { duration_ms: 750 });
    run
      .add(
        0,
        "artifact_persisted",
        { phase: id },
        { name: `${id}-out`, sha256: "0123456789abcdef".repeat(4), size_bytes: 40_000 },
      )
      .add(0, "phase_succeeded", { phase: id }, { revision: 1, duration_ms: 1_000 });
  }
  return run.add(0, "run_succeeded", {}, { duration_ms: 4_000, tolerated_failures: 0 });
}

/** A run of a thousand phases of which some are done, some fail and some run. */
export function hugeRun(counts: {
  readonly succeeded: number;
  readonly failed: number;
  readonly running: number;
}): TestRun {
  const ids = Array.from({ length: 1_000 }, (_, index) => `phase-${index}`);
  const run = new TestRun(ids.map((id) => ({ id, depends_on: [] }))).add(0, "run_started");
  for (const [index, phase] of ids.entries()) {
    if (index >= counts.succeeded + counts.failed + counts.running) break;
    run.add(1, "phase_started", { phase }, { revision: 1, shard_count: 2 });
    if (index < counts.succeeded) run.add(1, "phase_succeeded", { phase });
    else if (index < counts.succeeded + counts.failed) run.add(1, "phase_failed", { phase }, { why: `no ${index}` });
  }
  return run;
}

/** Text as hostile as it gets: colours, cursor moves, a title, a bell, a screen wipe, reversed text, line breaks. */
export const HOSTILE =
  "\u001b[31mred\u001b[0m\u001b[2J\u001b[1;1H\u001b]0;title\u0007\u009b31m\u0000\u0008\u0007\u202Ereversed\r\nnext\u2028line\tend";
