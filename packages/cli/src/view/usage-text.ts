import { formatNumber, formatUsd, type RunSummary, type TokenCounts } from "@fanfold/core";

/** Tokens in words: `1,500 (1,000 in, 500 out)`; empty where none were reported. */
export function tokenText({ prompt, completion, total }: TokenCounts): string {
  if (total === 0) return "";
  const kinds = prompt + completion > 0 ? ` (${formatNumber(prompt)} in, ${formatNumber(completion)} out)` : "";
  return `${formatNumber(total)}${kinds}`;
}

/** A cost in words: `$1.20`, or `at least $1.20` where a part of it is unknown; empty where all of it is. */
export function costText(usage: Pick<RunSummary, "cost_estimate_usd" | "is_cost_partial">): string {
  if (usage.cost_estimate_usd === null) return "";
  return `${usage.is_cost_partial ? "at least " : ""}${formatUsd(usage.cost_estimate_usd)}`;
}
