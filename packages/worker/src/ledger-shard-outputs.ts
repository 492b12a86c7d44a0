import type { ShardOutputs } from "@fanfold/core";
import type { Content } from "@fanfold/schemas";
import { type PhaseRef, readContent, type Store, streamContent } from "@fanfold/store";

/** Records fetched in one round trip; the outputs of one page are kept until another is wanted, and the next one comes. */
const PAGE = 250;

/** Outputs of shards that stand together. */
interface Page {
  readonly from: number;
  readonly contents: readonly (Content | undefined)[];
}

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
  #page: Page = { from: 0, contents: [] };
  /** The page behind the one that is kept, on its way. */
  #next: { readonly from: number; readonly page: Promise<Page> } | undefined;

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
      const isInTurn = from === 0 || from === this.#page.from + PAGE;
      const page = this.#next?.from === from ? this.#next.page : this.#fetch(from);
      this.#next = undefined;
      this.#page = await page;
      if (isInTurn) this.#fetchAhead(from + PAGE);
    }
    const content = this.#page.contents[shard - from];
    if (content !== undefined) return content;
    throw new Error(`shard ${shard} of ${this.#folded.ref.phase} has no accepted result`);
  }

  async #fetch(from: number): Promise<Page> {
    const { runId, ref, shardCount } = this.#folded;
    const to = Math.min(shardCount, from + PAGE);
    return { from, contents: await this.#store.ledger.listOutputs(runId, ref, from, to) };
  }

  #fetchAhead(from: number): void {
    if (from >= this.#folded.shardCount) return;
    const page = this.#fetch(from);
    // it is told to whoever wants the page
    page.catch(() => undefined);
    this.#next = { from, page };
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
