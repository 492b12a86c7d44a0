import { languageOf, recordsIfAny } from "./contract.mjs";

/**
 * Writes the script of a language as a table: line id, speaker, text. What was edited goes before what was translated.
 *
 * @type {import("fanfold").Handler}
 */
export default async function exportScript(ctx) {
  const lines = await ctx.artifacts.records("lines");
  const edited = await recordsIfAny(ctx, "edited");
  const translated = edited.length > 0 ? edited : await ctx.artifacts.records("translated");
  const texts = new Map(translated.map(({ line_id, text }) => [line_id, text]));
  ctx.progress({ completed: lines.length, total: lines.length, metric_key: "lines", unit: "lines" });
  ctx.log.info(`${languageOf(ctx)}: ${texts.size} lines of ${lines.length}`);
  const rows = lines.map(({ line_id, speaker, text }) => [line_id, speaker ?? "", texts.get(line_id) ?? text]);
  return rows.map((row) => `${row.join("\t")}\n`).join("");
}
