import { CREDENTIAL, CREDENTIAL_MARKS, MAX_MARK_CHARS } from "./credential-shapes.ts";
import { headOfNamed, isNamedCredential, NAMED_CREDENTIAL, NAMED_CREDENTIAL_MARKS } from "./named-credential-shapes.ts";
import { MASK } from "./secret-mask.ts";
import { either } from "./text-shape.ts";

const FORM_HERE = new RegExp(CREDENTIAL.whole, "y");
const NAMED_HERE = new RegExp(NAMED_CREDENTIAL.whole, "y");

/** Finds credentials by what they look like, and in logs also by their names. */
class Finder {
  readonly #byName: boolean;
  readonly #mark: RegExp;
  readonly #unfinishedHere: RegExp;
  /** The first place from which the text may go on to be a credential; the end of the text at the latest. */
  readonly #unfinished: RegExp;

  constructor(byName: boolean) {
    const { beginning } = byName ? either(CREDENTIAL, NAMED_CREDENTIAL) : CREDENTIAL;
    this.#byName = byName;
    this.#mark = new RegExp(byName ? `${CREDENTIAL_MARKS}|${NAMED_CREDENTIAL_MARKS}` : CREDENTIAL_MARKS, "g");
    this.#unfinishedHere = new RegExp(`${beginning}$`, "y");
    this.#unfinished = new RegExp(`${beginning}$`, "g");
  }

  findMark(text: string, from: number): number {
    this.#mark.lastIndex = from;
    return this.#mark.exec(text)?.index ?? -1;
  }

  /** Where the credential ends that begins here; undefined when none does. */
  endOf(text: string, at: number): number | undefined {
    if (testAt(FORM_HERE, text, at)) return FORM_HERE.lastIndex;
    if (!this.#byName || !testAt(NAMED_HERE, text, at)) return undefined;
    const end = NAMED_HERE.lastIndex;
    return isNamedCredential(text.slice(at, end), text.slice(end, end + 1)) ? end : undefined;
  }

  mayGoOn(text: string, at: number): boolean {
    return testAt(this.#unfinishedHere, text, at);
  }

  /** Where a mark begins that the end of the text cuts off; the length of the text for none. */
  findCutOffMark(text: string, from: number): number {
    this.#unfinished.lastIndex = Math.max(from, text.length - MAX_MARK_CHARS);
    return this.#unfinished.exec(text)?.index ?? text.length;
  }
}

const BY_FORM = new Finder(false);
const BY_FORM_OR_NAME = new Finder(true);

/** The text with everything masked that looks like a credential; for data, of which names say nothing. */
export function redactCredentials(text: string): string {
  return redactFrom(BY_FORM, text, 0, true).certain;
}

/** A text for people, with everything masked that looks like a credential, or whose name says that it is one. */
export function redactLogText(text: string): string {
  return redactFrom(BY_FORM_OR_NAME, text, 0, true).certain;
}

/**
 * Masks what looks like a credential in a log, or is one by its name: a stream of bytes, piece by piece.
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
    const { certain, heldFrom } = redactFrom(BY_FORM_OR_NAME, text, this.#before.length, isEnd);
    if (heldFrom > 0) this.#before = text.slice(heldFrom - 1, heldFrom);
    this.#held = text.slice(heldFrom);
    return certain;
  }
}

/** The redacted text from a place on, as far as it is certain; the rest may be the beginning of a credential. */
function redactFrom(finder: Finder, text: string, from: number, isEnd: boolean): { certain: string; heldFrom: number } {
  let certain = "";
  let doneTo = from;
  for (let mark = finder.findMark(text, from); mark !== -1; mark = finder.findMark(text, Math.max(mark + 1, doneTo))) {
    if (!isEnd && finder.mayGoOn(text, mark)) {
      return { certain: certain + text.slice(doneTo, mark), heldFrom: mark };
    }
    const end = finder.endOf(text, mark);
    if (end === undefined) continue;
    certain += text.slice(doneTo, mark) + redact(text.slice(mark, end));
    doneTo = end;
  }
  const heldFrom = isEnd ? text.length : finder.findCutOffMark(text, doneTo);
  return { certain: certain + text.slice(doneTo, heldFrom), heldFrom };
}

function testAt(sticky: RegExp, text: string, at: number): boolean {
  sticky.lastIndex = at;
  return sticky.test(text);
}

/** Keeps of a header, a URL and a named value what is no credential. */
function redact(found: string): string {
  if (found.startsWith("://")) return `${found.slice(0, found.indexOf(":", 3) + 1)}${MASK}@`;
  return `${headOfNamed(found)}${MASK}`;
}
