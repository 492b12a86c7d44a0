import type { UsageSum } from "../policy/cost.ts";
import { type EventData, readNumber, readObject } from "./event-data.ts";

/** Field `usage` of the event an attempt ends with, or `undefined` when there is none. What makes no sense counts as none. */
export function readUsage(data: EventData | undefined): UsageSum | undefined {
  const usage = readObject(data, "usage");
  if (usage === undefined) return undefined;
  const amount = (field: string): number => Math.max(0, readNumber(usage, field) ?? 0);
  const costUsd = readNumber(usage, "cost_usd");
  const promptTokens = amount("prompt_tokens");
  const completionTokens = amount("completion_tokens");
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: Math.max(amount("total_tokens"), promptTokens + completionTokens),
    cost_usd: costUsd === undefined || costUsd < 0 ? null : costUsd,
    is_cost_partial: usage["is_cost_partial"] === true,
  };
}
