import { secretForms } from "./secret-forms.ts";

/** What stands in the place of something masked. */
export const MASK = "***";

const MASK_BYTES = Buffer.from(MASK);
const NOTHING = Buffer.alloc(0);

/** Shortest form that is looked for, in bytes; the search begins with the first two bytes of a form. */
const MIN_FORM_BYTES = 2;

/** What begins at a place: the length of the longest form there, in bytes, 0 for none. */
type Look = number | "unfinished";

/**
 * Masks the values of secrets in text and streams of bytes. Every byte that belongs to some form of some secret is
 * masked; a run of such bytes becomes one {@link MASK}. The time does not depend on the number of forms.
 */
export class SecretMask {
  readonly #formsByStart = new Map<number, Buffer[]>();
  /** 1 for each pair of bytes that a form begins with. */
  readonly #starts = new Uint8Array(2 ** 16);
  /** 1 for each byte that a form begins with. */
  readonly #firstBytes = new Uint8Array(2 ** 8);

  constructor(secrets: Iterable<string>) {
    for (const secret of secrets) for (const form of secretForms(secret)) this.#add(Buffer.from(form));
  }

  /** The text with every secret masked. */
  text(text: string): string {
    const stream = this.stream();
    return Buffer.concat([stream.push(Buffer.from(text)), stream.end()]).toString();
  }

  /** Begins to mask a stream. */
  stream(): SecretMaskStream {
    return new SecretMaskStream(this);
  }

  /**
   * First place at or after `from` where a form begins, or may begin when more bytes come; -1 for none.
   *
   * @param isEnd whether `text` ends the stream
   */
  findStart(text: Uint8Array, from: number, isEnd: boolean): number {
    const last = text.length - 1;
    let pair = text[from] ?? 0;
    for (let at = from; at < last; at += 1) {
      pair = ((pair << 8) | (text[at + 1] ?? 0)) & 0xffff;
      if (this.#starts[pair] === 1 && this.look(text, at, isEnd) !== 0) return at;
    }
    return !isEnd && last >= from && this.#firstBytes[text[last] ?? 0] === 1 ? last : -1;
  }

  /** What begins at a place of the text. Unless the text ends the stream, a form may be cut off at its end. */
  look(text: Uint8Array, at: number, isEnd: boolean): Look {
    const rest = text.length - at;
    if (rest < MIN_FORM_BYTES) return isEnd ? 0 : "unfinished";
    let longest = 0;
    for (const form of this.#formsByStart.get(((text[at] ?? 0) << 8) | (text[at + 1] ?? 0)) ?? []) {
      if ((isEnd && form.length > rest) || !agrees(text, at, form)) continue;
      if (form.length > rest) return "unfinished";
      longest = Math.max(longest, form.length);
    }
    return longest;
  }

  #add(form: Buffer): void {
    const [first = 0, second = 0] = form;
    if (form.length < MIN_FORM_BYTES) return;
    const start = (first << 8) | second;
    this.#firstBytes[first] = 1;
    this.#starts[start] = 1;
    this.#formsByStart.set(start, [...(this.#formsByStart.get(start) ?? []), form]);
  }
}

/**
 * Masks one stream, piece by piece.
 *
 * 1. However the stream is cut into pieces, the masked bytes are the same.
 * 2. Only bytes are held back that may be the beginning of a secret, so fewer than its longest form has.
 */
export class SecretMaskStream {
  readonly #mask: SecretMask;
  #held: Buffer = NOTHING;
  /** Bytes at the start of `#held` that are masked, whatever comes. */
  #heldMasked = 0;
  /** Whether the output so far ends with a mask. */
  #endsMasked = false;
  #hasMasked = false;

  constructor(mask: SecretMask) {
    this.#mask = mask;
  }

  /** Whether anything was masked so far. */
  get hasMasked(): boolean {
    return this.#hasMasked;
  }

  /** Takes the next piece; gives what is certain of the masked stream. */
  push(chunk: Uint8Array): Uint8Array {
    return this.#next(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]), false);
  }

  /** Gives the rest of the masked stream. */
  end(): Uint8Array {
    return this.#next(this.#held, true);
  }

  #next(text: Uint8Array, isEnd: boolean): Uint8Array {
    const pieces: Uint8Array[] = [];
    let doneTo = this.#heldMasked;
    let heldFrom = text.length;
    const showTo = (end: number): void => {
      if (end <= doneTo) return;
      pieces.push(text.subarray(doneTo, end));
      doneTo = end;
      this.#endsMasked = false;
    };
    for (let at = this.#mask.findStart(text, 0, isEnd); at !== -1; at = this.#mask.findStart(text, at + 1, isEnd)) {
      const found = this.#mask.look(text, at, isEnd);
      if (found === "unfinished") {
        heldFrom = at;
        break;
      }
      showTo(at);
      if (!this.#endsMasked) pieces.push(MASK_BYTES);
      this.#endsMasked = true;
      this.#hasMasked = true;
      doneTo = Math.max(doneTo, at + found);
    }
    showTo(heldFrom);
    this.#heldMasked = doneTo - heldFrom;
    this.#held = heldFrom === text.length ? NOTHING : Buffer.from(text.subarray(heldFrom));
    return pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces);
  }
}

/** Whether the text goes on with the form, as far as there is text. */
function agrees(text: Uint8Array, at: number, form: Uint8Array): boolean {
  const length = Math.min(form.length, text.length - at);
  for (let i = MIN_FORM_BYTES; i < length; i += 1) if (text[at + i] !== form[i]) return false;
  return true;
}
