import { CredentialStream } from "./redact-credentials.ts";
import type { SecretMaskStream } from "./secret-mask.ts";

const NOTHING = new Uint8Array();

/** What became of a piece of output. Bytes that may be the beginning of a secret come with a later piece. */
export interface MaskedOutput {
  /** As data: without the secrets of the plan. */
  readonly kept: Uint8Array;
  /** As it is logged and shown: also without anything that looks like a credential. */
  readonly shown: Uint8Array;
}

/** Masks one output stream of an attempt. */
export class OutputMask {
  readonly #secrets: SecretMaskStream | undefined;
  /** Made with the first piece: most commands of a small phase write to one stream, or to none. */
  #credentials: CredentialStream | undefined;

  /** @param secrets masks the secrets of the plan, where it names any */
  constructor(secrets: SecretMaskStream | undefined) {
    this.#secrets = secrets;
  }

  /** Whether a secret was masked so far. */
  get hasMasked(): boolean {
    return this.#secrets?.hasMasked ?? false;
  }

  /** Takes the next piece. */
  push(chunk: Uint8Array): MaskedOutput {
    const kept = this.#secrets?.push(chunk) ?? chunk;
    this.#credentials ??= new CredentialStream();
    return { kept, shown: this.#credentials.push(kept) };
  }

  /** Gives what was held back. */
  end(): MaskedOutput {
    const kept = this.#secrets?.end() ?? NOTHING;
    if (this.#credentials === undefined) return { kept, shown: NOTHING };
    return { kept, shown: Buffer.concat([this.#credentials.push(kept), this.#credentials.end()]) };
  }
}
