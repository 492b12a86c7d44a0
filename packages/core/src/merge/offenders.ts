import { LISTED_NAMES } from "../jsonl/show-value.ts";
import { MergeError, type MergeErrorCode } from "./merge-error.ts";

/** Records and outputs that cannot be folded: counts all of them, and keeps the first five for the message. */
export class Offenders {
  readonly #listed: MergeError[] = [];
  #count = 0;

  /** Adds one, in the order they are found. The message says which it is and what is wrong. */
  add(code: MergeErrorCode, message: string, options?: ErrorOptions): void {
    this.#count += 1;
    if (this.#listed.length < LISTED_NAMES) this.#listed.push(new MergeError(code, message, options));
  }

  /** @throws {MergeError} with the code of the first one, naming the first five and the count */
  throwIfAny(): void {
    const [first, ...others] = this.#listed;
    if (first === undefined) return;
    if (others.length === 0) throw first;
    const rest = this.#count - this.#listed.length;
    const listed = this.#listed.map(({ message }) => message).join("; ");
    const message = `${this.#count} faults: ${listed}${rest > 0 ? ` (+${rest} more)` : ""}`;
    throw new MergeError(first.code, message, { cause: first.cause });
  }
}
