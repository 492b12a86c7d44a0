import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, type Stats, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

/** Most directories that are kept to be used again. */
const MAX_SPARE = 64;
/** Most files, and the largest, in bytes, that are removed at once: more would hold up everything else in this process. */
const FEW_FILES = 8;
const SMALL_FILE_BYTES = 64 * 1024;
const OWNER_MAY_WRITE = 0o600;

/** Files that the next attempt has again, so that they need not be made: the first is written anew, the second is empty. */
const INPUT = "input.jsonl";
const EVENTS = "events.jsonl";

/** The directory of an attempt, which nothing else uses meanwhile. */
export interface Scratch {
  readonly dir: string;
  /** Says that no process of the attempt is left, wherever it went. */
  markClear(): void;
  /** Has the directory removed, with all that is in it, or emptied for another attempt. */
  end(): Promise<void>;
}

/**
 * Directories for the attempts of a worker. To make and to remove directories and files is what takes longest of a small
 * attempt (with ext4 milliseconds, for the system does not take again what was just freed). So the directory of a command
 * is used again for another one, and with it the files that each command has: but only when nobody is left who could
 * still have it open, and nothing in it is unusual.
 */
export class ScratchDirs {
  readonly #base: string;
  readonly #spare: string[] = [];
  #made = 0;
  #mode = 0;

  /** @param base directory of this worker alone; made when it is needed */
  constructor(base: string) {
    this.#base = base;
  }

  /**
   * A directory that is there, and has in it at most an input, which is another attempt's, and an empty file of events.
   *
   * @param hasInput whether the attempt writes an input of its own before anything else; if not, none is in it
   */
  lend({ hasInput }: { hasInput: boolean }): Scratch {
    const dir = this.#spare.pop() ?? this.#make();
    if (!hasInput) rmSync(join(dir, INPUT), { force: true });
    let isClear = false;
    return {
      dir,
      markClear: () => {
        isClear = true;
      },
      end: async () => {
        if (isClear && this.#spare.length < MAX_SPARE && this.#empty(dir)) this.#spare.push(dir);
        // what cannot be removed is removed with all else when the worker stops
        else await rm(dir, { recursive: true, force: true }).catch(() => undefined);
      },
    };
  }

  #make(): string {
    this.#made += 1;
    const dir = join(this.#base, String(this.#made));
    mkdirSync(dir, { recursive: true });
    this.#mode = lstatSync(dir).mode;
    return dir;
  }

  /** Removes what an attempt left. @returns whether the directory is as good as new */
  #empty(dir: string): boolean {
    try {
      const names = readdirSync(dir);
      if (names.length > FEW_FILES || lstatSync(dir).mode !== this.#mode) return false;
      for (const name of names) {
        const path = join(dir, name);
        const found = lstatSync(path);
        if (found.isDirectory() || found.size > SMALL_FILE_BYTES) return false;
        if (!isKept(name, found)) unlinkSync(path);
      }
      return true;
    } catch {
      // what is odd is removed in the usual way
      return false;
    }
  }
}

/** A directory that is removed after its attempt, if it was made at all. */
export function ownScratch(dir: string): Scratch {
  return {
    dir,
    markClear: () => undefined,
    end: async () => {
      if (existsSync(dir)) await rm(dir, { recursive: true, force: true });
    },
  };
}

function isKept(name: string, found: Stats): boolean {
  const isOwn = found.isFile() && found.nlink === 1 && (found.mode & OWNER_MAY_WRITE) === OWNER_MAY_WRITE;
  return isOwn && (name === INPUT || (name === EVENTS && found.size === 0));
}
