import type { ArtifactStore } from "./artifact-store.ts";
import { FileArtifactStore } from "./file-artifact-store.ts";
import { S3ArtifactStore } from "./s3-artifact-store.ts";
import type { S3Location } from "./s3-location.ts";

/** Where a deployment keeps its content. */
export type ArtifactLocation = { readonly kind: "file"; readonly dir: string } | ({ readonly kind: "s3" } & S3Location);

/** The artifact store of a place. Nothing is read or written yet. */
export function openArtifactStore(location: ArtifactLocation): ArtifactStore {
  return location.kind === "file" ? new FileArtifactStore(location.dir) : new S3ArtifactStore(location);
}
