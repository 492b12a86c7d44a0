import { eachItem, languageOf, recordsIfAny, wordPattern } from "./contract.mjs";

/**
 * Stands in for a translator: marks the text with its language, and puts the terms of the glossary in their places.
 *
 * @type {import("fanfold").Handler<{ line_id: string, scene_id: string, route_id: string, text: string }>}
 */
export default async function translate(ctx) {
  const language = languageOf(ctx);
  if (language === ctx.env.FAIL_LANGUAGE) throw new Error(`no translator for ${language} today`);
  const glossary = await recordsIfAny(ctx, "glossary");
  const scenes = await recordsIfAny(ctx, "scenes");
  const tones = new Map(scenes.map(({ scene_id, tone }) => [scene_id, tone]));
  return eachItem(ctx, ({ line_id, scene_id, route_id, text }) => {
    const tone = tones.get(scene_id) ?? null;
    return { line_id, scene_id, route_id, language, tone, text: `[${language}] ${applyTerms(text, glossary)}` };
  });
}

// Capitals are beyond the stand-in: a term is a term wherever it stands in a sentence.
function applyTerms(text, glossary) {
  return glossary.reduce((result, { term, translation }) => result.replace(wordPattern(term), translation), text);
}
