import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { pipeline } from "node:stream/promises";
import type { ShardOutputs } from "@fanfold/core";
import type { MergeOutputs } from "./attempt/attempt-spec.ts";

/** Digits of the index in the name of an output file, so that names sort in shard order. */
const INDEX_DIGITS = 9;
/** Most outputs kept in memory for a merge that may not want files, in bytes. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** Outputs gathered before everything else in this process has its turn. */
const OUTPUTS_A_BREATH = 200;

/**
 * Shard outputs as a merge gets them: copies in files, so that nothing that is done to them can reach what is stored. For
 * a handler small ones are written only when it asks for files.
 */
export class OutputFiles implements MergeOutputs {
  readonly list: string;
  readonly #outputs: ShardOutputs;
  readonly #dir: string;
  readonly #paths: string[] = [];
  /** Outputs that are not in files yet; undefined once they are. */
  #kept: Uint8Array[] | undefined;

  private constructor(outputs: ShardOutputs, dir: string) {
    this.#outputs = outputs;
    this.#dir = dir;
    this.list = `${dir}.list`;
  }

  /** @param needsFiles whether the files are wanted for certain */
  static async gather(
    outputs: ShardOutputs,
    dir: string,
    { needsFiles, signal }: { needsFiles: boolean; signal: AbortSignal },
  ): Promise<OutputFiles> {
    const files = new OutputFiles(outputs, dir);
    for (const shard of outputs.shards) files.#paths.push(join(dir, String(shard).padStart(INDEX_DIGITS, "0")));
    if (!needsFiles) files.#kept = await files.#keepSmall(signal);
    if (files.#kept === undefined) await files.#writeAll(signal);
    return files;
  }

  paths(): readonly string[] {
    if (this.#kept !== undefined) {
      mkdirSync(this.#dir, { recursive: true });
      for (const [i, bytes] of this.#kept.entries()) writeFileSync(this.#paths[i] ?? "", bytes);
      writeFileSync(this.list, this.#listText());
      this.#kept = undefined;
    }
    return this.#paths;
  }

  async *texts(): AsyncGenerator<string> {
    if (this.#kept !== undefined) {
      for (const bytes of this.#kept) yield Buffer.from(bytes).toString("utf8");
      return;
    }
    for (const shard of this.#outputs.shards) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of this.#outputs.stream(shard)) chunks.push(chunk);
      yield Buffer.concat(chunks).toString("utf8");
    }
  }

  /** All outputs, unless they are too many for memory. */
  async #keepSmall(signal: AbortSignal): Promise<Uint8Array[] | undefined> {
    const kept: Uint8Array[] = [];
    let bytes = 0;
    for (const shard of this.#outputs.shards) {
      if (signal.aborted) return undefined;
      const chunks: Uint8Array[] = [];
      for await (const chunk of this.#outputs.stream(shard)) {
        bytes += chunk.byteLength;
        if (bytes > MAX_KEPT_BYTES) return undefined;
        chunks.push(chunk);
      }
      kept.push(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
      if (kept.length % OUTPUTS_A_BREATH === 0) await breathe();
    }
    return kept;
  }

  async #writeAll(signal: AbortSignal): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    let i = 0;
    for (const shard of this.#outputs.shards) {
      if (signal.aborted) return;
      await pipeline(this.#outputs.stream(shard), createWriteStream(this.#paths[i] ?? ""));
      i += 1;
    }
    await writeFile(this.list, this.#listText());
  }

  #listText(): string {
    return this.#paths.map((path) => `${path}\n`).join("");
  }
}
