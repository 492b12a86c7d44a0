const LINE = "x".repeat(99);

/** Makes `BYTES` of output, different for each shard. */
export default (ctx) => {
  const head = `shard ${ctx.run.shard_index}\n`;
  const lines = Math.ceil(Number(ctx.env.BYTES) / (LINE.length + 1));
  return (head + `${LINE}\n`.repeat(lines)).slice(0, Number(ctx.env.BYTES));
};
