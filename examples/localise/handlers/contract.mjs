/** Language of the phase instance that works. @param {import("fanfold").HandlerContext} ctx */
export function languageOf(ctx) {
  return ctx.env.FANFOLD_MATRIX_LANGUAGE;
}

/**
 * Records of an artifact, or none when the phase that provides it takes no part in the run.
 *
 * @param {import("fanfold").HandlerContext} ctx
 * @param {string} name
 */
export async function recordsIfAny(ctx, name) {
  try {
    ctx.artifacts.path(name);
  } catch {
    ctx.log.info(`there is no ${name} in this run`);
    return [];
  }
  return ctx.artifacts.records(name);
}

/**
 * Works through the items of the shard, and reports how far it is and what a model would have used.
 *
 * @template Item, Result
 * @param {import("fanfold").HandlerContext<Item>} ctx
 * @param {(item: Item) => Result} work
 * @returns {Result[]}
 */
export function eachItem(ctx, work) {
  const results = ctx.items.map((item, index) => {
    const result = work(item);
    ctx.progress({ completed: index + 1, total: ctx.items.length, metric_key: "lines", unit: "lines" });
    return result;
  });
  ctx.usage({ prompt_tokens: tokensIn(ctx.items), completion_tokens: tokensIn(results) });
  return results;
}

/** A stand-in for a tokeniser: four characters a token. @param {unknown} value */
export function tokensIn(value) {
  return Math.ceil(JSON.stringify(value).length / 4);
}

/** The places where a term stands in a text as a word of its own. @param {string} term */
export function wordPattern(term) {
  return new RegExp(`\\b${term}\\b`, "gi");
}
