import type { ArtifactRecord } from "@fanfold/schemas";
import { useEffect, useState } from "react";
import { ApiError, asApiError } from "../api/api-error.ts";
import { apiPath, type Query } from "../api/client.ts";
import { bareType, previewBytes, previewKind, type PreviewKind } from "./preview-model.ts";

/** What is shown of an artifact. */
export type Preview =
  | { readonly state: "loading" }
  | { readonly state: "failed"; readonly error: ApiError }
  | { readonly state: "none"; readonly why: string }
  | { readonly state: "picture"; readonly url: string }
  | {
      readonly state: "text";
      readonly kind: Exclude<PreviewKind, "none" | "picture">;
      readonly text: string;
      readonly isCut: boolean;
    };

/** Address of an artifact's bytes. */
export function contentPath(record: ArtifactRecord, query: Query = {}): string {
  const { run_id: runId, artifact_id: id, phase, shard } = record;
  return apiPath(["runs", runId, "artifact-records", id, "content"], { phase, shard, ...query });
}

/** Reads what can be shown of an artifact: bytes are never asked for that are not shown, but for a few. */
export function usePreview(record: ArtifactRecord): Preview {
  const [preview, setPreview] = useState<Preview>({ state: "loading" });
  useEffect(() => {
    const abort = new AbortController();
    let url: string | undefined;
    setPreview({ state: "loading" });
    readPreview(record, abort.signal)
      .then((read) => {
        if (read.state === "picture") url = read.url;
        if (abort.signal.aborted) release(url);
        else setPreview(read);
      })
      .catch((thrown: unknown) => {
        if (!abort.signal.aborted) setPreview({ state: "failed", error: asApiError(thrown) });
      });
    return () => {
      abort.abort();
      release(url);
    };
    // an id stands for one content
  }, [record.artifact_id, record.sha256]);
  return preview;
}

function release(url: string | undefined): void {
  if (url !== undefined) URL.revokeObjectURL(url);
}

async function readPreview(record: ArtifactRecord, signal: AbortSignal): Promise<Preview> {
  if (record.size_bytes === 0) return { state: "none", why: "It is empty." };
  const limit = previewBytes(record);
  const answer = await fetch(contentPath(record, { limit }), { signal });
  if (!answer.ok) {
    throw new ApiError(answer.status, { code: `HTTP_${answer.status}`, message: "the artifact could not be read" });
  }
  const sentType = answer.headers.get("content-type") ?? "";
  const kind = previewKind(record, sentType);
  const isCut = record.size_bytes > limit;
  if (kind === "none" || (kind === "picture" && isCut)) {
    await answer.body?.cancel();
    return { state: "none", why: kind === "none" ? "This is not text." : "This picture is too large to be shown." };
  }
  if (kind === "picture") {
    const picture = new Blob([await answer.arrayBuffer()], { type: bareType(sentType) });
    return { state: "picture", url: URL.createObjectURL(picture) };
  }
  return { state: "text", kind: kind === "drawing" && isCut ? "text" : kind, text: await answer.text(), isCut };
}
