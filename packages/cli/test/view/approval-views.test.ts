import { runDocument, runProgressAt } from "@fanfold/core";
import { expect, test } from "vitest";
import { progressLine } from "../../src/view/progress-line.ts";
import { renderRunTable } from "../../src/view/run-table.ts";
import { renderStatus } from "../../src/view/run-status-text.ts";
import { START_MS, TestRun } from "./run-fixture.ts";

const DECLARED = [
  { id: "build", depends_on: [] },
  { id: "review[os=linux]", depends_on: ["build"] },
  { id: "ship", depends_on: ["review[os=linux]"] },
];

function asked(): TestRun {
  const phase = "review[os=linux]";
  return new TestRun(DECLARED)
    .add(0, "run_started")
    .add(0, "phase_started", { phase: "build" }, { revision: 1, shard_count: 1 })
    .work("build", 0)
    .add(0, "phase_succeeded", { phase: "build" }, { revision: 1 })
    .add(0, "phase_started", { phase }, { revision: 1 })
    .add(0, "approval_requested", { phase }, { revision: 1, message: "Ship it?", until_ms: null });
}

test("a run that waits for a person says so, and how to answer", () => {
  expect(renderStatus(asked().view, { nowMs: START_MS + 60_000 })).toMatchInlineSnapshot(`
    "run  running  1/3 phases  ~33 %  1 min  run_1
      build             succeeded  1/1 shard  1.0 s
      review[os=linux]  running               59.0 s  waits for an approval: Ship it?
      ship              pending                       waits for review[os=linux]
    to approve: fanfold approve run_1 'review[os=linux]' (or --reject, with --comment TEXT)
    1 attempt, 0 retried, 0 lost"
  `);
});

test("without a terminal, too", () => {
  const run = asked();
  const line = run.lines.at(-1);
  expect(line && progressLine(line, run.view)).toMatchInlineSnapshot(
    `"12:00:01Z  review[os=linux] waits for an approval: Ship it?; to give it: fanfold approve run_1 'review[os=linux]'"`,
  );
});

test("nobody can tell how long a person takes", () => {
  const { view } = asked();
  expect(runProgressAt(view, START_MS + 60_000)).toMatchObject({ percent: 33.33, eta_sec: null });
  const { approval } = runDocument(view).phases[1] ?? {};
  expect(approval).toMatchObject({ message: "Ship it?", until_ms: null });
});

test("an answered phase waits no more", () => {
  const phase = "review[os=linux]";
  const run = asked()
    .add(5_000, "approval_given", { phase }, { approved: true, comment: "fine", actor: "ana" })
    .add(0, "phase_succeeded", { phase }, { revision: 1 })
    .add(0, "phase_started", { phase: "ship" }, { revision: 1, shard_count: 1 });
  expect(renderStatus(run.view, { nowMs: START_MS + 60_000 })).toMatchInlineSnapshot(`
    "run  running  2/3 phases  66 %  1 min, 54.1 s left  run_1
      build             succeeded  1/1 shard  1.0 s
      review[os=linux]  succeeded             5.0 s
      ship              running    0/1 shard  54.0 s
    1 attempt, 0 retried, 0 lost"
  `);
});

test("a list of runs says which wait", () => {
  const row = {
    run_id: "run_1",
    plan_id: "release",
    plan_version: "1",
    status: "running" as const,
    created_at_ms: START_MS,
    started_at_ms: null,
    finished_at_ms: null,
    waiting_approvals: 1,
  };
  expect(renderRunTable([row, { ...row, paused: true }, { ...row, waiting_approvals: 0 }])).toMatchInlineSnapshot(`
    "RUN    STATUS                                PLAN       CREATED               DURATION
    run_1  running (waits for approval)          release 1  2026-03-01T12:00:00Z
    run_1  running (paused, waits for approval)  release 1  2026-03-01T12:00:00Z
    run_1  running                               release 1  2026-03-01T12:00:00Z"
  `);
});
