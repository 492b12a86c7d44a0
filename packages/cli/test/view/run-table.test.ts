import { expect, test } from "vitest";
import { renderRunTable, type RunRow } from "../../src/view/run-table.ts";
import { HOSTILE, START_MS } from "./run-fixture.ts";

const rows: RunRow[] = [
  {
    run_id: "run_0199a5c2-7d11-7c3e-9f10-2b7a4e5d6c01",
    plan_id: "tz",
    plan_version: "1.0",
    status: "running",
    created_at_ms: START_MS,
    started_at_ms: START_MS + 1_000,
    finished_at_ms: null,
  },
  {
    run_id: "nightly",
    plan_id: "translate-the-question",
    plan_version: "2",
    status: "failed",
    created_at_ms: START_MS,
    started_at_ms: START_MS,
    finished_at_ms: START_MS + 125_000,
  },
  {
    run_id: "next",
    plan_id: "tz",
    plan_version: "1.0",
    status: "queued",
    created_at_ms: START_MS,
    started_at_ms: null,
    finished_at_ms: null,
  },
];

test("lists runs as a table", () => {
  expect(renderRunTable(rows, { columns: 120, nowMs: START_MS + 4_000 })).toMatchInlineSnapshot(`
    "RUN                                       STATUS   PLAN                      CREATED               DURATION
    run_0199a5c2-7d11-7c3e-9f10-2b7a4e5d6c01  running  tz 1.0                    2026-03-01T12:00:00Z  3.0 s
    nightly                                   failed   translate-the-question 2  2026-03-01T12:00:00Z  2 min 5 s
    next                                      queued   tz 1.0                    2026-03-01T12:00:00Z"
  `);
});

test("leaves out columns on a narrow terminal, but never cuts an id", () => {
  expect(renderRunTable(rows, { columns: 40 })).toMatchInlineSnapshot(`
    "RUN                                       STATUS
    run_0199a5c2-7d11-7c3e-9f10-2b7a4e5d6c01  running
    nightly                                   failed
    next                                      queued"
  `);
});

test("says so when there is none", () => {
  expect(renderRunTable([])).toBe("no runs");
});

test("prints hostile text without what makes it hostile", () => {
  const text = renderRunTable(
    rows.map((row) => ({ ...row, run_id: HOSTILE, plan_id: HOSTILE, plan_version: HOSTILE })),
  );
  expect(text).toMatch(/^[\n -~]*$/);
});
