import { MergeError, type ShardOutputs } from "@fanfold/core";
import type { Content } from "@fanfold/schemas";
import { type PhaseRef, readContent, type Store, streamContent } from "@fanfold/store";

/** Results fetched in one round trip, and kept until another page is wanted. */
const PAGE = 250;

/** The accepted outputs of a phase's shards, read page by page from the ledger. */
export class LedgerShardOutputs implements ShardOutputs {
  readonly shardCount: number;
  readonly #store: Store;
  readonly #runId: string;
  readonly #ref: PhaseRef;
  #page: { readonly from: number; readonly contents: readonly (Content | undefined)[] } = { from: 0, contents: [] };

  constructor(store: Store, runId: string, ref: PhaseRef, shardCount: number) {
    this.#store = store;
    this.#runId = runId;
    this.#ref = ref;
    this.shardCount = shardCount;
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
      const to = Math.min(this.shardCount, from + PAGE);
      const records = await this.#store.ledger.listShards(this.#runId, this.#ref, from, to);
      this.#page = { from, contents: records.map((record) => record?.result?.output) };
    }
    const content = this.#page.contents[shard - from];
    if (content !== undefined) return content;
    throw new MergeError("INCOMPLETE", `shard ${shard} has no accepted result`);
  }
}
