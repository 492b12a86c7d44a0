import { createHmac, timingSafeEqual } from "node:crypto";
import { StoreError } from "./store-error.ts";

/** Shortest key that is accepted, in characters: shorter ones can be guessed. */
const MIN_KEY_CHARS = 16;

/**
 * Whether a stored plan is what somebody with the deployment's key submitted; `unchecked` where this process has no key.
 */
export type PlanTrust = "unchecked" | "signed" | "unsigned" | "altered";

/**
 * Signs plans when they are submitted, and tells later whether a plan is still the one that was signed: HMAC-SHA256
 * (RFC 2104) over the run's id and the stored text of the plan.
 */
export class PlanSigner {
  readonly #keys: readonly string[];

  /**
   * @param keys one key, or several separated by commas: the first one signs, each of them is accepted
   * @throws {StoreError} WEAK_SIGNING_KEY
   */
  constructor(keys: string) {
    this.#keys = keys.split(",").map((key) => key.trim());
    if (this.#keys.every((key) => key.length >= MIN_KEY_CHARS)) return;
    const remedy = "make one with `openssl rand -hex 32`";
    throw new StoreError("WEAK_SIGNING_KEY", `a signing key needs at least ${MIN_KEY_CHARS} characters; ${remedy}`);
  }

  /** The signature of a run's plan, in hex. */
  sign(runId: string, planText: string): string {
    const [key = ""] = this.#keys;
    return mac(key, runId, planText).toString("hex");
  }

  /** Whether a signature is that of this run and this plan. */
  check(runId: string, planText: string, signature: string | null): PlanTrust {
    if (signature === null || signature === "") return "unsigned";
    const given = Buffer.from(signature, "hex");
    const isSigned = this.#keys.some((key) => {
      const wanted = mac(key, runId, planText);
      return wanted.length === given.length && timingSafeEqual(wanted, given);
    });
    return isSigned ? "signed" : "altered";
  }
}

/** An id has no line break, so that no other pair of id and plan gives the same text. */
function mac(key: string, runId: string, planText: string): Buffer {
  return createHmac("sha256", key).update(`fanfold plan 1\n${runId}\n${planText}`).digest();
}
