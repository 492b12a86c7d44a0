import { eachItem, languageOf, recordsIfAny, wordPattern } from "./contract.mjs";

/** Most characters a line may have in the text box of the game. */
const MAX_LENGTH = 80;

/**
 * Looks at every line. What it finds is a matter for edit, not a failure.
 *
 * @type {import("fanfold").Handler<{ line_id: string, text: string }>}
 */
export default async function qa(ctx) {
  const language = languageOf(ctx);
  const glossary = await recordsIfAny(ctx, "glossary");
  const sources = new Map((await ctx.artifacts.records("lines")).map((line) => [line.line_id, line.text]));
  return eachItem(ctx, ({ line_id, text }) => {
    const source = sources.get(line_id) ?? "";
    const misses = ({ term, translation }) => wordPattern(term).test(source) && !text.includes(translation);
    const findings = [
      ...(text.length > MAX_LENGTH ? ["too_long"] : []),
      ...(text.includes("...") ? ["three_dots"] : []),
      ...(glossary.some(misses) ? ["term_missing"] : []),
    ];
    return { line_id, language, findings };
  });
}
