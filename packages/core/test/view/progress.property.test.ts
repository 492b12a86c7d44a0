import type { JournalLine } from "@fanfold/schemas";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Percent, percentOf } from "../../src/view/progress-metric.ts";
import { type PhaseProgressDocument, phaseProgressAt, SHARDS_METRIC } from "../../src/view/progress-phase.ts";
import { progressOfPhases, runProgressAt } from "../../src/view/progress-run.ts";
import { reduceRun } from "../../src/view/reduce-run.ts";
import { emptyRunView, type PhaseView, type RunView, withPhases } from "../../src/view/run-view.ts";
import { journalOf, type TestEvent } from "./journal-fixture.ts";

const PHASES = ["p", "q", "r"];

const anyMetric: fc.Arbitrary<JournalLine["data"]> = fc.record(
  {
    metric_key: fc.constantFrom("lines", "files", "shards"),
    unit: fc.constantFrom("lines", "MB"),
    completed: fc.oneof(fc.nat({ max: 20 }), fc.constant(-1)),
    total: fc.oneof(fc.nat({ max: 20 }), fc.constant(null)),
    total_status: fc.constantFrom("unknown", "discovering", "estimated", "locked", "made up"),
  },
  { requiredKeys: ["metric_key", "completed"] },
);

const anyEvent: fc.Arbitrary<TestEvent> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<TestEvent>({ event: "run_started" }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<TestEvent>(
      { event: "run_failed" },
      { event: "run_reopened" },
      { event: "run_succeeded" },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      event: fc.constant("phase_started" as const),
      phase: fc.constantFrom(...PHASES),
      data: fc.record(
        { revision: fc.constantFrom(1, 1, 1, 2), shard_count: fc.nat({ max: 5 }) },
        { requiredKeys: ["revision"] },
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      event: fc.constant("phase_progress" as const),
      phase: fc.constantFrom(...PHASES),
      data: fc.record({ revision: fc.constantFrom(1, 1, 2), metrics: fc.array(anyMetric, { maxLength: 3 }) }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      event: fc.constantFrom("shard_started", "shard_succeeded", "shard_retry", "shard_failed", "shard_lost"),
      phase: fc.constantFrom(...PHASES),
      shard: fc.nat({ max: 5 }),
      attempt: fc.constant(1),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      event: fc.constantFrom(
        "phase_succeeded",
        "phase_failed",
        "phase_skipped",
        "phase_cancelled",
        "phase_reopened",
        "phase_blocked",
      ),
      phase: fc.constantFrom(...PHASES),
      data: fc.record({ cause_phase: fc.constantFrom(...PHASES) }),
    }),
  },
);

const anyLines = fc.array(fc.tuple(anyEvent, fc.nat({ max: 3_000 })), { maxLength: 60 }).map((steps) => {
  let atMs = 0;
  return journalOf(steps.map(([event, afterMs]) => ({ ...event, atMs: (atMs += afterMs) })));
});

/** Calls back with the view before and after each line. */
function follow(
  lines: readonly JournalLine[],
  isDeclared: boolean,
  visit: (before: Snapshot, after: Snapshot, line: JournalLine) => void,
): void {
  let view = emptyRunView("run_1");
  if (isDeclared)
    view = withPhases(
      view,
      PHASES.map((id) => ({ id, depends_on: [] })),
    );
  for (const line of lines) {
    const before = snapshot(view);
    view = reduceRun(view, line);
    visit(before, snapshot(view), line);
  }
}

/** A view as it was: the maps of a view change with the next line. */
interface Snapshot {
  readonly view: RunView;
  readonly phases: ReadonlyMap<string, PhaseView>;
}

function snapshot(view: RunView): Snapshot {
  return { view, phases: new Map(view.phases) };
}

function expectConsistent({ percent, percent_mode: mode }: Percent): void {
  expect(percent === null).toBe(mode === "unavailable");
  if (percent === null) return;
  expect(percent).toBeGreaterThanOrEqual(0);
  expect(percent).toBeLessThanOrEqual(100);
}

function documentsOf({ view, phases }: Snapshot, nowMs = view.last_at_ms ?? 0): Map<string, PhaseProgressDocument> {
  return new Map([...phases].map(([id, phase]) => [id, phaseProgressAt(phase, nowMs)]));
}

/** The metrics a phase goes by: its shards only while nothing reported has a total for all of them. */
function counting({ metrics }: PhaseProgressDocument): PhaseProgressDocument["metrics"] {
  const measured = metrics.filter(({ percent }) => percent !== null);
  const reported = measured.filter(({ metric_key: key }) => key !== SHARDS_METRIC);
  return reported.some(({ total_status: status }) => status !== "discovering") ? reported : measured;
}

const both = fc.boolean();

test("a percent lies between 0 and 100, and is missing exactly when it is unavailable", () => {
  fc.assert(
    fc.property(anyLines, both, (lines, isDeclared) => {
      follow(lines, isDeclared, (_before, after) => {
        expectConsistent(after.view.progress);
        for (const document of documentsOf(after).values()) {
          expectConsistent(document);
          for (const metric of document.metrics) {
            expectConsistent(metric);
            expect(metric.total === null).toBe(metric.total_status === "unknown");
          }
        }
      });
    }),
  );
});

test("neither a phase nor any of its metrics falls back within a revision", () => {
  fc.assert(
    fc.property(anyLines, both, (lines, isDeclared) => {
      follow(lines, isDeclared, (before, after) => {
        for (const [id, phase] of after.phases) {
          const earlier = before.phases.get(id);
          if (earlier === undefined || (earlier.revision > 0 && phase.revision > earlier.revision)) continue;
          expect(phase.progress.percent ?? -1).toBeGreaterThanOrEqual(earlier.progress.percent ?? -1);
          for (const { metric_key: key, percent } of earlier.progress.metrics) {
            const now = phase.progress.metrics.find((metric) => metric.metric_key === key);
            expect(now?.percent ?? -1).toBeGreaterThanOrEqual(percent ?? -1);
          }
        }
      });
    }),
  );
});

test("a phase is as far as the furthest its least metric ever was, and done when it has succeeded", () => {
  fc.assert(
    fc.property(anyLines, both, (lines, isDeclared) => {
      const furthest = new Map<string, number>();
      follow(lines, isDeclared, (before, after) => {
        for (const [id, document] of documentsOf(after)) {
          const phase = after.phases.get(id);
          const revision = before.phases.get(id)?.revision ?? 0;
          if (revision > 0 && (phase?.revision ?? 0) > revision) furthest.delete(id);
          const least = Math.min(...counting(document).map(({ percent }) => percent ?? 0));
          const isSucceeded = phase?.status === "succeeded";
          const now = Math.max(furthest.get(id) ?? 0, isSucceeded ? 100 : Number.isFinite(least) ? least : 0);
          furthest.set(id, now);
          expect(document.percent ?? 0).toBe(now);
          expect(isSucceeded && (document.percent_mode !== "final" || document.eta_sec !== 0)).toBe(false);
        }
      });
    }),
  );
});

test("a percent that is final says how things are", () => {
  fc.assert(
    fc.property(anyLines, both, (lines, isDeclared) => {
      follow(lines, isDeclared, (_before, after) => {
        for (const [id, document] of documentsOf(after)) {
          const certain = document.metrics.filter(({ percent_mode: mode }) => mode === "final");
          for (const metric of certain) expect(percentOf(metric).percent).toBe(metric.percent);
          if (document.percent_mode !== "final" || after.phases.get(id)?.status === "succeeded") continue;
          for (const metric of counting(document)) expect(metric.percent_mode).toBe("final");
        }
      });
    }),
  );
});

test("a phase has no time left exactly when it is done, and an unknown time when nothing tells it", () => {
  fc.assert(
    fc.property(anyLines, both, fc.nat({ max: 100_000 }), (lines, isDeclared, laterMs) => {
      follow(lines, isDeclared, (_before, after) => {
        for (const [id, document] of documentsOf(after, (after.view.last_at_ms ?? 0) + laterMs)) {
          const status = after.phases.get(id)?.status;
          const { eta_sec: etaSec } = document;
          if (etaSec === null) continue;
          expect(["running", "succeeded"]).toContain(status);
          expect(etaSec).toBeGreaterThanOrEqual(0);
          const isDone = counting(document).every(({ completed, total }) => total !== null && completed >= total);
          expect(etaSec === 0).toBe(status === "succeeded" || isDone);
        }
      });
    }),
  );
});

test("a run falls back only when work that was over is taken up again", () => {
  fc.assert(
    fc.property(anyLines, both, (lines, isDeclared) => {
      follow(lines, isDeclared, (before, after, line) => {
        const isReopening =
          line.event === "run_reopened" || line.event === "phase_reopened" || line.event === "run_started";
        const revision = before.phases.get(line.phase ?? "")?.revision ?? 0;
        const isRerun = revision > 0 && (after.phases.get(line.phase ?? "")?.revision ?? 0) > revision;
        if (isReopening || isRerun) return;
        expect(after.view.progress.percent ?? -1).toBeGreaterThanOrEqual(before.view.progress.percent ?? -1);
      });
    }),
  );
});

test("a run that is followed line by line knows what counting its phases would tell", () => {
  fc.assert(
    fc.property(anyLines, both, (lines, isDeclared) => {
      follow(lines, isDeclared, (_before, { view, phases }) => {
        const counted = progressOfPhases(view.progress, phases.values());
        for (const sum of ["phases", "points", "lower_bounds", "estimates"] as const) {
          expect(view.progress[sum]).toBe(counted[sum]);
        }
        expect(view.progress.percent ?? -1).toBeGreaterThanOrEqual(counted.percent ?? -1);
      });
    }),
  );
});

test("a run has no time left exactly when it has succeeded or all of its phases have", () => {
  fc.assert(
    fc.property(anyLines, both, fc.nat({ max: 100_000 }), (lines, isDeclared, laterMs) => {
      follow(lines, isDeclared, (_before, { view }) => {
        const { percent, percent_mode: mode, eta_sec: etaSec } = runProgressAt(view, (view.last_at_ms ?? 0) + laterMs);
        if (etaSec === null) return;
        expect(["running", "succeeded"]).toContain(view.status);
        expect(etaSec).toBeGreaterThanOrEqual(0);
        expect(etaSec === 0).toBe(view.status === "succeeded" || (percent === 100 && mode === "final"));
      });
    }),
  );
});
