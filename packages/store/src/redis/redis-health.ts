import { describeRefusal, findRefusal, type Refusal } from "./refusal.ts";

/** First wait before a refused command is sent again, in ms; it doubles up to the longest. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** Trouble that comes back within this time is not announced again, in ms. */
const QUIET_MS = 30_000;

/** A line for whoever runs the process: Redis cannot be used now, or can be used again. */
export interface RedisNotice {
  readonly state: "trouble" | "over";
  readonly message: string;
}

/** Takes notices. */
export type OnRedisNotice = (notice: RedisNotice) => void;

/** A command that was refused; it is settled once its server has answered otherwise. */
interface Refused {
  readonly promise: Promise<unknown>;
  readonly isSettled: boolean;
}

type Trouble = Refusal | "lost" | "login";

/**
 * What is wrong with a Redis that all connections of a process share. Refused commands wait here and are sent again,
 * with growing waits, until they are answered. Trouble is announced once when it begins and once when it is over,
 * however many commands and connections meet it.
 */
export class RedisHealth {
  readonly #where: string;
  readonly #onNotice: OnRedisNotice;
  readonly #tries = new WeakMap<object, number>();
  readonly #waiting = new Set<object>();
  readonly #saidAtMs = new Map<Trouble, number>();
  #trouble: { readonly kind: Trouble; readonly sinceMs: number; readonly isSaid: boolean } | undefined;

  constructor(where: string, onNotice: OnRedisNotice) {
    this.#where = where;
    this.#onNotice = onNotice;
  }

  /** Keeps a refused command, and sends it again after a while. */
  hold(command: Refused, refusal: Refusal, sendAgain: () => void): void {
    const tries = this.#tries.get(command) ?? 0;
    this.#tries.set(command, tries + 1);
    if (!this.#waiting.has(command)) {
      this.#waiting.add(command);
      const release = (): void => this.#release(command);
      command.promise.then(release, release);
    }
    this.refused(refusal);
    const again = setTimeout(sendAgain, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries));
    again.unref();
  }

  /** A command was refused, for now. */
  refused(refusal: Refusal): void {
    this.#begin(refusal, describeRefusal(refusal));
  }

  /** The connection is gone. */
  lost(): void {
    // left on purpose, to look for the master
    if (this.#trouble?.kind === "read_only") return;
    this.#begin("lost", "is gone; everything waits until it is back");
  }

  /** A new connection was not let in, in the server's words. */
  notLetIn(words: string): void {
    this.#begin("login", `lets nobody in: ${words}; everything waits`);
  }

  /** The connection is there. */
  connected(): void {
    if (this.#trouble?.kind === "lost" || this.#trouble?.kind === "login") this.#end();
  }

  #release(command: object): void {
    this.#waiting.delete(command);
    const isConnected = this.#trouble?.kind !== "lost" && this.#trouble?.kind !== "login";
    if (this.#waiting.size === 0 && isConnected) this.#end();
  }

  #begin(kind: Trouble, sentence: string): void {
    if (this.#trouble?.kind === kind) return;
    const nowMs = Date.now();
    const isNew = nowMs - (this.#saidAtMs.get(kind) ?? 0) >= QUIET_MS;
    const { sinceMs = nowMs, isSaid = false } = this.#trouble ?? {};
    this.#trouble = { kind, sinceMs, isSaid: isSaid || isNew };
    if (!isNew) return;
    this.#saidAtMs.set(kind, nowMs);
    this.#onNotice({ state: "trouble", message: `redis at ${this.#where} ${sentence}` });
  }

  #end(): void {
    if (this.#trouble === undefined) return;
    const { sinceMs, isSaid } = this.#trouble;
    this.#trouble = undefined;
    if (!isSaid) return;
    const seconds = ((Date.now() - sinceMs) / 1000).toFixed(1);
    this.#onNotice({ state: "over", message: `redis at ${this.#where} works again, after ${seconds} s` });
  }
}

/**
 * Repeats what is refused for now: for transactions, whose commands cannot wait one by one. They are all or nothing.
 */
export async function untilAccepted<T>(action: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await action();
    } catch (error) {
      if (findRefusal(error) === undefined) throw error;
    }
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
