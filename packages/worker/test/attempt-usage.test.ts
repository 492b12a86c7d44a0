import { expect, test } from "vitest";
import { buildReportedEvent } from "../src/attempt/reported-event.ts";
import { AttemptUsage } from "../src/attempt-usage.ts";

const PRICES = { writer: { prompt_per_1k_usd: 1, completion_per_1k_usd: 2 } };

function usageAfter(
  events: readonly (readonly ["usage" | "progress" | "log", Record<string, unknown>])[],
  cost: { model?: string; flat_usd?: number } = {},
): AttemptUsage {
  const usage = new AttemptUsage(cost, PRICES);
  for (const [type, fields] of events) {
    const event = buildReportedEvent(type, fields);
    if (typeof event === "string") throw new Error(event);
    usage.take(event);
  }
  return usage;
}

test("adds up what an attempt reports, by the prices of its plan and the flat cost of its phase", () => {
  const usage = usageAfter(
    [
      ["usage", { prompt_tokens: 1_000, completion_tokens: 500 }],
      ["log", { message: "half way" }],
      ["usage", { cost_usd: 0.5 }],
    ],
    { model: "writer", flat_usd: 0.25 },
  );
  expect(usage.summary).toEqual({
    prompt_tokens: 1_000,
    completion_tokens: 500,
    total_tokens: 1_500,
    cost_usd: 2.75,
    is_cost_partial: false,
  });
});

test("has nothing to tell of an attempt that reported nothing, unless it costs something by itself", () => {
  expect(usageAfter([]).summary).toBeUndefined();
  expect(usageAfter([], { flat_usd: 0.25 }).summary).toMatchObject({ total_tokens: 0, cost_usd: 0.25 });
});

test("says that a cost is unknown, or known in part", () => {
  expect(usageAfter([["usage", { tokens: 5 }]]).summary).toMatchObject({ total_tokens: 5, cost_usd: null });
  expect(usageAfter([["usage", { tokens: 5 }]], { flat_usd: 1 }).summary).toMatchObject({
    cost_usd: 1,
    is_cost_partial: true,
  });
});

test("keeps the last report of each metric", () => {
  const usage = usageAfter([
    ["progress", { completed: 1, total: 10, metric_key: "lines", unit: "rows" }],
    ["progress", { completed: 1 }],
    ["progress", { completed: 4, total: 12, metric_key: "lines", unit: "rows" }],
  ]);
  expect(usage.metrics).toEqual([
    { metric_key: "lines", unit: "rows", completed: 4, total: 12 },
    { metric_key: "work", unit: "work", completed: 1, total: null },
  ]);
});

test("does not grow with what is reported", () => {
  const usage = usageAfter([
    ...Array.from({ length: 1_000 }, (_, index) => ["progress", { completed: 1, metric_key: `m${index}` }] as const),
    ...Array.from({ length: 1_000 }, () => ["usage", { model: "writer", prompt_tokens: 1 }] as const),
    ["progress", { completed: 1, metric_key: "x".repeat(101) }],
    ["progress", { completed: 7, metric_key: "m3" }],
  ]);
  expect(usage.metrics).toHaveLength(20);
  expect(usage.metrics[3]).toMatchObject({ metric_key: "m3", completed: 7 });
  expect(usage.summary).toMatchObject({ prompt_tokens: 1_000, cost_usd: 1 });
});

test("leaves counting the shards to the phase", () => {
  expect(usageAfter([["progress", { completed: 1, metric_key: "shards" }]]).metrics).toEqual([]);
});
