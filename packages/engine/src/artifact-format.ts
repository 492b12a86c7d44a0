import { extname } from "node:path/posix";
import type { ArtifactMeta, CompiledMerge } from "@fanfold/schemas";

/** What is handed out when nothing tells what it is. */
const UNKNOWN_TYPE = "application/octet-stream";

const TYPES: Readonly<Record<string, string>> = {
  csv: "text/csv",
  diff: "text/x-diff",
  gif: "image/gif",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  jsonl: "application/x-ndjson",
  log: "text/plain",
  md: "text/markdown",
  ndjson: "application/x-ndjson",
  patch: "text/x-diff",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  text: "text/plain",
  tsv: "text/tab-separated-values",
  txt: "text/plain",
  webp: "image/webp",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
};

/** Format of what a merge writes, or wants of each shard. */
const BY_MERGE: Partial<Record<CompiledMerge["strategy"], string>> = {
  records: "jsonl",
  array: "json",
  object: "json",
};

/** What the content of an artifact is: as its maker says, else by its merge, else by the ending of its name. */
export function formatOf(
  name: string,
  meta: ArtifactMeta | undefined,
  merge?: CompiledMerge["strategy"],
): { format: string | null; media_type: string } {
  const ending = extname(name).slice(1).toLowerCase();
  const byMerge = merge === undefined ? undefined : BY_MERGE[merge];
  const format = meta?.format ?? byMerge ?? (ending in TYPES ? ending : null);
  return { format, media_type: meta?.media_type ?? TYPES[format ?? ""] ?? UNKNOWN_TYPE };
}
