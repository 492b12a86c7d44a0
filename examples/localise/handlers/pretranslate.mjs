import { eachItem, languageOf, wordPattern } from "./contract.mjs";
import { DICTIONARY } from "./dictionary.mjs";

/**
 * Finds the terms that must read the same everywhere. The same term may come from several shards, and several times
 * from this one: the merge keeps the first.
 *
 * @type {import("fanfold").Handler<{ line_id: string, text: string }>}
 */
export default function pretranslate(ctx) {
  const language = languageOf(ctx);
  const terms = Object.entries(DICTIONARY[language]);
  return eachItem(ctx, ({ line_id, text }) =>
    terms
      .filter(([term]) => wordPattern(term).test(text))
      .map(([term, translation]) => ({ term, translation, language, first_line: line_id })),
  ).flat();
}
