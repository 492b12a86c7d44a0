import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addUsage,
  costOfUsage,
  flatUsage,
  type Prices,
  sumUsage,
  type Usage,
  type UsageSum,
} from "../../src/policy/cost.ts";

const PRICES: Prices = {
  writer: { prompt_per_1k_usd: 0.5, completion_per_1k_usd: 1.5 },
  reader: { prompt_per_1k_usd: 0.5 },
  caller: { flat_usd: 0.02 },
  agent: { prompt_per_1k_usd: 0.5, completion_per_1k_usd: 1.5, flat_usd: 0.02 },
  gift: { prompt_per_1k_usd: 0, completion_per_1k_usd: 0 },
  empty: {},
};

describe("the cost of a report", () => {
  test.each<[string, Usage, string | undefined, number | null]>([
    ["takes the cost it names before any price", { cost_usd: 3, model: "writer", prompt_tokens: 1_000 }, undefined, 3],
    ["takes a cost of 0 for what it is", { cost_usd: 0, model: "unheard-of" }, undefined, 0],
    [
      "prices prompt and completion",
      { model: "writer", prompt_tokens: 2_000, completion_tokens: 500 },
      undefined,
      1.75,
    ],
    ["takes the model of the phase where none is named", { prompt_tokens: 1_000 }, "writer", 0.5],
    ["takes the model it names before that of the phase", { model: "gift", prompt_tokens: 1_000 }, "writer", 0],
    ["knows no cost without a model", { prompt_tokens: 1_000 }, undefined, null],
    ["knows no cost of an unknown model", { model: "unheard-of", prompt_tokens: 1 }, "writer", null],
    ["takes no price from where there is none", { model: "constructor", prompt_tokens: 1 }, undefined, null],
    ["knows no cost of an empty price", { model: "empty", prompt_tokens: 1_000 }, undefined, null],
    ["knows no cost of tokens it has no price for", { model: "reader", completion_tokens: 1 }, undefined, null],
    [
      "needs no price for tokens that were not used",
      { model: "reader", prompt_tokens: 1_000, completion_tokens: 0 },
      undefined,
      0.5,
    ],
    ["knows no cost of tokens of an unknown kind", { model: "writer", total_tokens: 1_000 }, undefined, null],
    [
      "takes a flat price whatever was used",
      { model: "caller", prompt_tokens: 9, completion_tokens: 9 },
      undefined,
      0.02,
    ],
    ["adds a flat price to that of tokens", { model: "agent", prompt_tokens: 1_000 }, undefined, 0.52],
    ["takes the flat price alone where no token was used", { model: "agent" }, undefined, 0.02],
    ["leaves nothing out beside a flat price", { model: "agent", tokens: 1_000 }, undefined, null],
    ["knows no cost of a priced model that reports no tokens", { model: "writer", gpu_sec: 4 }, undefined, null],
    ["ignores a cost that is no number", { cost_usd: "3", model: "unheard-of" }, undefined, null],
    ["ignores a cost below nothing", { cost_usd: -3 }, undefined, null],
  ])("%s", (_title, usage, model, expected) => {
    expect(costOfUsage(usage, model === undefined ? {} : { model }, PRICES)).toBe(expected);
  });

  test("shows no trace of floating point", () => {
    expect(costOfUsage({ model: "m", prompt_tokens: 3_000 }, {}, { m: { prompt_per_1k_usd: 0.1 } })).toBe(0.3);
  });
});

describe("the usage of an attempt", () => {
  test("adds up its reports, and the flat cost of its phase once", () => {
    const reports = [
      { model: "writer", prompt_tokens: 1_000, completion_tokens: 1_000 },
      { cost_usd: 1, tokens: 70 },
    ];
    expect(sumUsage(reports, { flat_usd: 0.25 }, PRICES)).toEqual({
      prompt_tokens: 1_000,
      completion_tokens: 1_000,
      total_tokens: 2_070,
      cost_usd: 3.25,
      is_cost_partial: false,
    });
  });

  test("is nothing where nothing was reported, and the flat cost where the phase has one", () => {
    expect(sumUsage([], {}, PRICES)).toBeNull();
    expect(sumUsage([], { flat_usd: 0 }, PRICES)).toMatchObject({ total_tokens: 0, cost_usd: 0 });
    expect(flatUsage({ model: "writer" })).toBeNull();
  });

  test("is partly known when one report has no price, and unknown when none has", () => {
    const unpriced = { prompt_tokens: 10 };
    expect(sumUsage([unpriced, { cost_usd: 1 }], {}, PRICES)).toMatchObject({ cost_usd: 1, is_cost_partial: true });
    expect(sumUsage([unpriced], { flat_usd: 1 }, PRICES)).toMatchObject({ cost_usd: 1, is_cost_partial: true });
    expect(sumUsage([unpriced, unpriced], {}, PRICES)).toMatchObject({ cost_usd: null, is_cost_partial: false });
  });

  test("counts at least prompt and completion as its total", () => {
    const reports = [
      { prompt_tokens: 5, completion_tokens: 6 },
      { prompt_tokens: 5, total_tokens: 20 },
    ];
    expect(sumUsage(reports, {}, {})?.total_tokens).toBe(31);
  });
});

const amount = fc.integer({ min: 0, max: 1_000_000 });
const anySum: fc.Arbitrary<UsageSum> = fc.record({
  prompt_tokens: amount,
  completion_tokens: amount,
  total_tokens: amount,
  cost_usd: fc.option(fc.integer({ min: 0, max: 100 })),
  is_cost_partial: fc.constant(false),
});

const fold = (sums: readonly UsageSum[]): UsageSum | null => sums.reduce<UsageSum | null>(addUsage, null);

test("usages add up to the same in any order and any grouping", () => {
  fc.assert(
    fc.property(fc.array(anySum, { maxLength: 8 }), fc.nat(), (sums, cut) => {
      const whole = fold(sums);
      expect(fold(sums.toReversed())).toEqual(whole);
      const at = cut % (sums.length + 1);
      const tail = fold(sums.slice(at));
      const head = fold(sums.slice(0, at));
      expect(tail === null ? head : addUsage(head, tail)).toEqual(whole);
    }),
  );
});

test("a cost is known if one of its parts is, partial if one is not, and never less than what is known", () => {
  fc.assert(
    fc.property(fc.array(anySum, { minLength: 1, maxLength: 8 }), (sums) => {
      const known = sums.flatMap(({ cost_usd: cost }) => cost ?? []);
      const whole = fold(sums);
      expect(whole?.cost_usd).toBe(known.length === 0 ? null : known.reduce((a, b) => a + b, 0));
      expect(whole?.is_cost_partial).toBe(known.length > 0 && known.length < sums.length);
    }),
  );
});
