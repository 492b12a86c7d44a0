import { CREDENTIAL, CREDENTIAL_MARKS, MAX_MARK_CHARS } from "./credential-shapes.ts";
import { MASK } from "./secret-mask.ts";

const MARK = new RegExp(CREDENTIAL_MARKS, "g");
const CREDENTIAL_HERE = new RegExp(CREDENTIAL.whole, "y");
const UNFINISHED_HERE = new RegExp(`${CREDENTIAL.beginning}$`, "y");
/** The first place from which the text may go on to be a credential; the end of the text at the latest. */
const UNFINISHED = new RegExp(`${CREDENTIAL.beginning}$`, "g");

/** The text with everything masked that looks like a credential. */
export function redactCredentials(text: string): string {
  return redactFrom(text, 0, true).certain;
}

/**
 * Masks what looks like a credential in a stream of bytes, piece by piece.
 *
 * 1. However the stream is cut into pieces, the redacted bytes are the same.
 * 2. Only bytes are held back that may be the beginning of a credential.
 */
export class CredentialStream {
  /** Last character that was given out, as it was before redaction: a credential depends on what stands before it. */
  #before = "";
  #held = "";

  /** Takes the next piece; gives what is certain of the redacted stream. */
  push(chunk: Uint8Array): Uint8Array {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const wasHolding = this.#held !== "";
    const certain = this.#next(text, false);
    return wasHolding || certain !== text ? Buffer.from(certain, "latin1") : chunk;
  }

  /** Gives the rest of the redacted stream. */
  end(): Uint8Array {
    return Buffer.from(this.#next("", true), "latin1");
  }

  /** Works on characters that stand for one byte each. */
  #next(more: string, isEnd: boolean): string {
    const text = this.#before + this.#held + more;
    const { certain, heldFrom } = redactFrom(text, this.#before.length, isEnd);
    if (heldFrom > 0) this.#before = text.slice(heldFrom - 1, heldFrom);
    this.#held = text.slice(heldFrom);
    return certain;
  }
}

/** The redacted text from a place on, as far as it is certain; the rest may be the beginning of a credential. */
function redactFrom(text: string, from: number, isEnd: boolean): { certain: string; heldFrom: number } {
  let certain = "";
  let doneTo = from;
  for (let mark = findMark(text, from); mark !== -1; mark = findMark(text, Math.max(mark + 1, doneTo))) {
    if (!isEnd && testAt(UNFINISHED_HERE, text, mark))
      return { certain: certain + text.slice(doneTo, mark), heldFrom: mark };
    if (!testAt(CREDENTIAL_HERE, text, mark)) continue;
    const end = CREDENTIAL_HERE.lastIndex;
    certain += text.slice(doneTo, mark) + redact(text.slice(mark, end));
    doneTo = end;
  }
  const heldFrom = isEnd ? text.length : findCutOffMark(text, doneTo);
  return { certain: certain + text.slice(doneTo, heldFrom), heldFrom };
}

function findMark(text: string, from: number): number {
  MARK.lastIndex = from;
  return MARK.exec(text)?.index ?? -1;
}

/** Where a mark begins that the end of the text cuts off; the length of the text for none. */
function findCutOffMark(text: string, from: number): number {
  UNFINISHED.lastIndex = Math.max(from, text.length - MAX_MARK_CHARS);
  return UNFINISHED.exec(text)?.index ?? text.length;
}

function testAt(sticky: RegExp, text: string, at: number): boolean {
  sticky.lastIndex = at;
  return sticky.test(text);
}

/** Keeps of a header and a URL what is no credential. */
function redact(found: string): string {
  if (found.startsWith("://")) return `${found.slice(0, found.indexOf(":", 3) + 1)}${MASK}@`;
  return /^au/i.test(found) ? found.replace(/[^ \t]+$/, MASK) : MASK;
}
