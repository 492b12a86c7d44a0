/** Versions that are remembered. */
const REMEMBERED = 10_000;

/** Which version of an artifact was found to hold the bytes of its hash: it need not be verified again. */
export class VerifiedVersions {
  readonly #versions = new Map<string, string>();

  has(sha256: string, version: string): boolean {
    return this.#versions.get(sha256) === version;
  }

  remember(sha256: string, version: string): void {
    this.#versions.delete(sha256);
    this.#versions.set(sha256, version);
    if (this.#versions.size <= REMEMBERED) return;
    const [oldest] = this.#versions.keys();
    if (oldest !== undefined) this.#versions.delete(oldest);
  }
}
