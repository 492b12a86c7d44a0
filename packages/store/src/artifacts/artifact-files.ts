import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactUpkeep, Enrolment, RemovedFiles } from "./artifact-store.ts";
import { isMissing } from "./file-errors.ts";

const HASH = /^[0-9a-f]{64}$/;

/** The files of an artifact store in a directory, and their removal. */
export class ArtifactFiles implements ArtifactUpkeep {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Directory of what is being written, or moved away. */
  get incoming(): string {
    return join(this.#dir, "incoming");
  }

  /** Where the bytes of a hash are, or would be. */
  path(sha256: string): string {
    return join(this.#dir, "sha256", sha256.slice(0, 2), sha256);
  }

  /** The time as the file system tells it: that of another machine, where the directory is shared. */
  async nowMs(): Promise<number> {
    await mkdir(this.incoming, { recursive: true });
    const probe = join(this.incoming, `probe-${randomUUID()}`);
    const file = await open(probe, "wx");
    try {
      return (await file.stat()).mtimeMs;
    } finally {
      await file.close();
      await rm(probe, { force: true });
    }
  }

  /** Gives a file the time of now, by the clock of the file system. @returns whether it is there */
  async renew(sha256: string): Promise<boolean> {
    const now = new Date(await this.nowMs());
    try {
      await utimes(this.path(sha256), now, now);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async *list(): AsyncGenerator<string> {
    for (const group of await namesIn(join(this.#dir, "sha256"))) {
      for (const name of await namesIn(join(this.#dir, "sha256", group))) if (HASH.test(name)) yield name;
    }
  }

  async remove(sha256: string, putBeforeMs: number, { dryRun }: { dryRun: boolean }): Promise<number | undefined> {
    const path = this.path(sha256);
    const seen = await findOlder(path, putBeforeMs);
    if (seen === undefined || dryRun) return seen;
    // moved away first: somebody may put the same bytes between the look and the removal
    const aside = join(this.incoming, `removed-${randomUUID()}`);
    await mkdir(this.incoming, { recursive: true });
    try {
      await rename(path, aside);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    if ((await findOlder(aside, putBeforeMs)) === undefined) {
      await rename(aside, path);
      return undefined;
    }
    await rm(aside, { force: true });
    return seen;
  }

  async removeLeftovers(writtenBeforeMs: number, { dryRun }: { dryRun: boolean }): Promise<RemovedFiles> {
    let [files, bytes] = [0, 0];
    for (const name of await namesIn(this.incoming)) {
      const path = join(this.incoming, name);
      const size = await findOlder(path, writtenBeforeMs);
      if (size === undefined) continue;
      if (!dryRun) await rm(path, { force: true });
      files += 1;
      bytes += size;
    }
    return { files, bytes };
  }

  async enrol(id: string, label: string): Promise<void> {
    await mkdir(this.#enrolments, { recursive: true });
    await writeFile(join(this.#enrolments, id), `${label}\n`);
  }

  async listEnrolled(): Promise<Enrolment[]> {
    const ids = await namesIn(this.#enrolments);
    return Promise.all(
      ids.map(async (id) => {
        const entry = join(this.#enrolments, id);
        return { id, label: (await readFile(entry, "utf8")).trim(), entry };
      }),
    );
  }

  get #enrolments(): string {
    return join(this.#dir, "deployments");
  }
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Size in bytes of a file written before a time, or undefined. */
async function findOlder(path: string, beforeMs: number): Promise<number | undefined> {
  try {
    const { mtimeMs, size } = await stat(path);
    return mtimeMs < beforeMs ? size : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
