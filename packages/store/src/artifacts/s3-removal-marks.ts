import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { S3Objects } from "./s3-objects.ts";

/** Between the key of an object and the name of a remover. */
const MARK = ".removing-";
/** Age from which on a mark is one of a remover that died, in ms: a removal gives up much sooner. */
const DEAD_MS = 60_000;
/** Longest time a remover may take from its mark to the removal, in ms. */
const REMOVE_WITHIN_MS = 15_000;
/** How often a writer that met a mark looks again, in ms. */
const LOOK_AGAIN_MS = 100;

/**
 * Keeps apart who puts an object and who removes it for its age, since neither can do both its look and its deed in one
 * request:
 *
 * 1. A remover leaves a mark beside the object before its last look at the object's age.
 * 2. A writer looks for mark and object in one request, after it has put the object.
 *
 * So either the writer's look comes after the mark, and it puts the object again when the mark is gone; or the remover's
 * look comes after the object was put, and it sees a young one.
 */
export class S3RemovalMarks {
  readonly #objects: S3Objects;

  constructor(objects: S3Objects) {
    this.#objects = objects;
  }

  /** Puts an object so that no removal that is under way takes it away. @param put may be called again */
  async guardPut(key: string, put: () => Promise<void>): Promise<void> {
    for (;;) {
      await put();
      const { isThere, marks } = await this.#look(key);
      // a service whose lists lag behind has it all the same
      if (marks.length === 0 && (isThere || (await this.#objects.findHead(key)) !== undefined)) return;
      await this.#untilUnmarked(key, marks);
    }
  }

  /**
   * Removes an object that was put before a time.
   *
   * @returns its size, or undefined when somebody put it meanwhile, or the look took too long to be trusted
   */
  async remove(key: string, putBeforeMs: number): Promise<number | undefined> {
    const beganMs = performance.now();
    const mark = `${key}${MARK}${randomUUID()}`;
    await this.#objects.put(mark, new Uint8Array(), 0);
    try {
      const head = await this.#objects.findHead(key);
      if (head === undefined || head.putAtMs >= putBeforeMs) return undefined;
      if (performance.now() - beganMs > REMOVE_WITHIN_MS) return undefined;
      await this.#objects.remove(key);
      return head.sizeBytes;
    } finally {
      await this.#objects.remove(mark);
    }
  }

  async #look(key: string): Promise<{ isThere: boolean; marks: string[] }> {
    const found: string[] = [];
    for await (const one of this.#objects.list(key)) found.push(one);
    return { isThere: found.includes(key), marks: found.filter(isRemovalMark) };
  }

  async #untilUnmarked(key: string, marks: readonly string[]): Promise<void> {
    for (let left = marks; left.length > 0; left = (await this.#look(key)).marks) {
      for (const mark of left) await this.#forgetDead(mark);
      await pause(LOOK_AGAIN_MS);
    }
  }

  async #forgetDead(mark: string): Promise<void> {
    const head = await this.#objects.findHead(mark);
    if (head !== undefined && Date.now() - head.putAtMs > DEAD_MS) await this.#objects.remove(mark);
  }
}

/** Whether a key is that of a mark. */
export function isRemovalMark(key: string): boolean {
  return key.includes(MARK);
}
