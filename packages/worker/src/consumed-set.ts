import { createHash } from "node:crypto";
import type { ConsumedInput } from "@fanfold/schemas";

/** Hex digits of a set's id: there are few sets, and all of one phase. */
const ID_DIGITS = 16;

/** Id of a set of artifacts: the same for the same ones. Undefined for the empty set. */
export function consumedSetId(artifacts: readonly ConsumedInput[]): string | undefined {
  if (artifacts.length === 0) return undefined;
  const told = artifacts.map(({ name, phase, revision, sha256 }) => [name, phase, revision, sha256]);
  return createHash("sha256").update(JSON.stringify(told)).digest("hex").slice(0, ID_DIGITS);
}
