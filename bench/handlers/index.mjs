/** Gives its shard's index: the least a shard can do. */
export default (ctx) => ctx.run.shard_index;
