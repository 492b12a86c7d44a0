/** Sums the outputs of all shards in the order of their indexes. */
export default async (ctx) => {
  let sum = 0;
  for await (const text of ctx.readOutputs()) sum += Number(text);
  return sum;
};
