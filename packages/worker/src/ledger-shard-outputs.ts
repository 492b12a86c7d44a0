import type { ShardOutputs } from "@fanfold/core";
import type { Content } from "@fanfold/schemas";
import { type PhaseRef, readContent, type Store, streamContent } from "@fanfold/store";

/** Records fetched in one round trip; the outputs of one page are kept until another is wanted. */
const PAGE = 250;

/** The shards of a phase whose outputs are folded. */
export interface FoldedShards {
  readonly runId: string;
  readonly ref: PhaseRef;
  readonly shardCount: number;
  /** Shards that failed and are left out. */
  readonly missing: ReadonlySet<number>;
}

/** The accepted outputs of a phase's shards, read page by page from the ledger. */
export class LedgerShardOutputs implements ShardOutputs {
  readonly shards: Iterable<number>;
  readonly #store: Store;
  readonly #folded: FoldedShards;
  #page: { readonly from: number; readonly contents: readonly (Content | undefined)[] } = { from: 0, contents: [] };

  constructor(store: Store, folded: FoldedShards) {
    this.#store = store;
    this.#folded = folded;
    this.shards = { [Symbol.iterator]: () => presentShards(folded) };
  }

  async *stream(shard: number): AsyncGenerator<Uint8Array> {
    yield* streamContent(this.#store.artifacts, await this.#content(shard));
  }

  async read(shard: number, start: number, end: number): Promise<Uint8Array> {
    return readContent(this.#store.artifacts, await this.#content(shard), { start, end });
  }

  async #content(shard: number): Promise<Content> {
    const from = shard - (shard % PAGE);
    if (this.#page.from !== from || this.#page.contents.length === 0) {
      const { runId, ref, shardCount } = this.#folded;
      const contents = await this.#store.ledger.listOutputs(runId, ref, from, Math.min(shardCount, from + PAGE));
      this.#page = { from, contents };
    }
    const content = this.#page.contents[shard - from];
    if (content !== undefined) return content;
    throw new Error(`shard ${shard} of ${this.#folded.ref.phase} has no accepted result`);
  }
}

function* presentShards({ shardCount, missing }: FoldedShards): Generator<number> {
  for (let shard = 0; shard < shardCount; shard += 1) if (!missing.has(shard)) yield shard;
}

/** Indexes of the shards of a phase that failed for good, rising. */
export async function listFailedShards(
  store: Store,
  { runId, ref, shardCount }: Omit<FoldedShards, "missing">,
): Promise<number[]> {
  const failed: number[] = [];
  for (let from = 0; from < shardCount; from += PAGE) {
    const records = await store.ledger.listShards(runId, ref, from, Math.min(shardCount, from + PAGE));
    for (const [i, record] of records.entries()) if (record?.status === "failed") failed.push(from + i);
  }
  return failed;
}
