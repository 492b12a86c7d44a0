import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { AttemptOutput } from "./attempt-spec.ts";

/** Most bytes kept in memory; more goes to the file. */
const MAX_BYTES_IN_MEMORY = 16 * 1024;

/** What is written piece by piece: in memory while it is small, then in a file. */
export class KeptOutput {
  readonly #path: string;
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;
  #file: FileHandle | undefined;

  /** @param path file for what is too large for memory; its directory is made with it */
  constructor(path: string) {
    this.#path = path;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes the next piece; resolves when it is stored. */
  readonly keep = async (chunk: Uint8Array): Promise<void> => {
    if (chunk.byteLength === 0) return;
    this.#sizeBytes += chunk.byteLength;
    if (this.#file === undefined && this.#sizeBytes <= MAX_BYTES_IN_MEMORY) this.#pieces.push(chunk);
    else await (await this.#spill()).appendFile(chunk);
  };

  /** All of it. */
  output(): AttemptOutput {
    return this.#file === undefined ? { bytes: Buffer.concat(this.#pieces) } : { file: this.#path };
  }

  /** All of it, in its file. @returns path of the file */
  async inFile(): Promise<string> {
    await this.#spill();
    return this.#path;
  }

  /** Closes the file; safe to call twice. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #spill(): Promise<FileHandle> {
    if (this.#file !== undefined) return this.#file;
    await mkdir(dirname(this.#path), { recursive: true });
    this.#file = await open(this.#path, "a");
    await this.#file.appendFile(Buffer.concat(this.#pieces));
    this.#pieces = [];
    return this.#file;
  }
}
