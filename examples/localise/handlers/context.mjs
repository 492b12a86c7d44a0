import { tokensIn } from "./contract.mjs";

/**
 * Tells what a translator should know of the scene: who speaks, and how people talk to each other there.
 *
 * @type {import("fanfold").Handler<{ scene_id: string, route_id: string, speaker: string | null, text: string }>}
 */
export default function context(ctx) {
  const [{ scene_id }] = ctx.items;
  const speakers = [...new Set(ctx.items.flatMap(({ speaker }) => speaker ?? []))];
  const routes = [...new Set(ctx.items.map(({ route_id }) => route_id))];
  const questions = ctx.items.filter(({ text }) => text.endsWith("?")).length;
  const record = { scene_id, routes, speakers, tone: questions > 1 ? "curious" : "calm" };
  ctx.progress({ completed: 1, total: 1, metric_key: "scenes", unit: "scenes" });
  ctx.usage({ prompt_tokens: tokensIn(ctx.items), completion_tokens: tokensIn(record) });
  return [record];
}
