/** Why records cannot be cut into shards, or a shard plan cannot be read. */
export type ShardErrorCode =
  | "INVALID_RULE"
  | "MISSING_ROUTE_ID"
  | "INVALID_SHARD_PLAN"
  | "SHARD_NOT_IN_PLAN"
  | "MISSING_RECORDS"
  | "BAD_ITEMS";

/** Records, or a stored shard plan, that give no shards. */
export class ShardError extends Error {
  override readonly name = "ShardError";
  readonly code: ShardErrorCode;

  constructor(code: ShardErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
