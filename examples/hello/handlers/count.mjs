/**
 * Counts the words of each line of the shard. The records it returns become the shard's output.
 *
 * @type {import("fanfold").Handler<{ line: number, text: string }>}
 */
export default function count(ctx) {
  ctx.log.info(`shard ${ctx.run.shard_index} of ${ctx.run.shard_count}: ${ctx.items.length} lines`);
  return ctx.items.map(({ line, text }) => ({ line, words: countWords(text) }));
}

/** @param {string} text */
function countWords(text) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
