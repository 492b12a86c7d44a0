import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";

/** What an attempt reports it used: `model`, `prompt_tokens`, `completion_tokens`, `total_tokens` (or `tokens`), `cost_usd`, and more. */
export type Usage = Readonly<Record<string, unknown>>;

/** Price table of a plan, by model. */
export type Prices = CompiledPlan["prices"];

/** What a phase says its attempts cost. */
export type PhaseCost = CompiledPhase["cost"];

/** Usage added up. */
export interface UsageSum {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  /** At least prompt and completion together: some programs report no more than a total. */
  readonly total_tokens: number;
  /** `null` while nothing of it is known: what is unknown is not free. */
  readonly cost_usd: number | null;
  /** Whether `cost_usd` leaves something out whose cost is unknown. */
  readonly is_cost_partial: boolean;
}

const NO_TOKENS = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

const TOKEN_FIELDS = ["prompt_tokens", "completion_tokens", "total_tokens", "tokens"] as const;

/** Digits that survive adding up floating point amounts of money. */
const USD_SCALE = 1e12;

/**
 * Cost of one usage report: the `cost_usd` it names, else the price of its model (that of the phase where it names
 * none) for its tokens. The phase's own `flat_usd` is per attempt, so it is not part of this; see {@link sumUsage}.
 *
 * @returns USD, or `null` when it cannot be known: never 0 for want of a price
 */
export function costOfUsage(usage: Usage, cost: PhaseCost, prices: Prices): number | null {
  const named = readAmount(usage, "cost_usd");
  if (named !== undefined) return named;
  const model = typeof usage["model"] === "string" ? usage["model"] : cost.model;
  const price = model !== undefined && Object.hasOwn(prices, model) ? prices[model] : undefined;
  if (price === undefined) return null;
  const isByToken = price.prompt_per_1k_usd !== undefined || price.completion_per_1k_usd !== undefined;
  if (!isByToken || !TOKEN_FIELDS.some((field) => readAmount(usage, field) !== undefined))
    return price.flat_usd ?? null;
  const ofTokens = costOfTokens(usage, price);
  return ofTokens === null ? null : roundUsd(ofTokens + (price.flat_usd ?? 0));
}

/**
 * What one attempt used, by its reports in any order, its phase's `flat_usd` included.
 *
 * @returns `null` when there is neither a report nor a flat cost
 */
export function sumUsage(reports: Iterable<Usage>, cost: PhaseCost, prices: Prices): UsageSum | null {
  let sum = flatUsage(cost);
  for (const report of reports) sum = addUsage(sum, usageOfReport(report, cost, prices));
  return sum;
}

/** What an attempt costs before it reports anything: its phase's `flat_usd`, or `null` without one. */
export function flatUsage({ flat_usd: flatUsd }: PhaseCost): UsageSum | null {
  return flatUsd === undefined ? null : { ...NO_TOKENS, cost_usd: flatUsd, is_cost_partial: false };
}

/** One report as a sum that others can be added to. */
export function usageOfReport(usage: Usage, cost: PhaseCost, prices: Prices): UsageSum {
  const promptTokens = readAmount(usage, "prompt_tokens") ?? 0;
  const completionTokens = readAmount(usage, "completion_tokens") ?? 0;
  const total = readAmount(usage, "total_tokens") ?? readAmount(usage, "tokens") ?? 0;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: Math.max(total, promptTokens + completionTokens),
    cost_usd: costOfUsage(usage, cost, prices),
    is_cost_partial: false,
  };
}

/** Two usages together. A cost that is unknown beside one that is known makes the sum partial, not unknown. */
export function addUsage(sum: UsageSum | null, next: UsageSum): UsageSum {
  if (sum === null) return next;
  const isOneUnknown = (sum.cost_usd === null) !== (next.cost_usd === null);
  return {
    prompt_tokens: sum.prompt_tokens + next.prompt_tokens,
    completion_tokens: sum.completion_tokens + next.completion_tokens,
    total_tokens: sum.total_tokens + next.total_tokens,
    cost_usd: isOneUnknown ? (sum.cost_usd ?? next.cost_usd) : addUsd(sum.cost_usd, next.cost_usd),
    is_cost_partial: sum.is_cost_partial || next.is_cost_partial || isOneUnknown,
  };
}

function addUsd(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : roundUsd(one + other);
}

/** Tokens of a kind that the price does not name, or that are only known as a total, have an unknown cost. */
function costOfTokens(usage: Usage, price: Prices[string]): number | null {
  const prompt = readAmount(usage, "prompt_tokens");
  const completion = readAmount(usage, "completion_tokens");
  if (prompt === undefined && completion === undefined) return null;
  const ofPrompt = priceTokens(prompt ?? 0, price.prompt_per_1k_usd);
  const ofCompletion = priceTokens(completion ?? 0, price.completion_per_1k_usd);
  return ofPrompt === null || ofCompletion === null ? null : ofPrompt + ofCompletion;
}

function priceTokens(tokens: number, perThousandUsd: number | undefined): number | null {
  if (tokens === 0) return 0;
  return perThousandUsd === undefined ? null : (tokens / 1_000) * perThousandUsd;
}

function roundUsd(amount: number): number {
  return Math.round(amount * USD_SCALE) / USD_SCALE;
}

function readAmount(usage: Usage, field: string): number | undefined {
  const value = usage[field];
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
