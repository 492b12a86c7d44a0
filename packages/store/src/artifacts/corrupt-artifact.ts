import { StoreError } from "../store-error.ts";

/** The error of content whose bytes are not those of its hash. */
export function corruptArtifact(sha256: string, where: string, what: string): StoreError {
  const next =
    "restore the file, or remove it and submit the plan again: a phase that makes the same bytes puts them back";
  return new StoreError("ARTIFACT_CORRUPT", `artifact ${sha256} is corrupt: ${where} ${what}; ${next}`);
}
