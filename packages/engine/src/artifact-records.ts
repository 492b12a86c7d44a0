import { createHash } from "node:crypto";
import type {
  Artifact,
  ArtifactMeta,
  ArtifactRecord,
  ArtifactType,
  AttemptRecord,
  CompiledPhase,
  Content,
  Fold,
  PhaseRecord,
  ShardRecord,
} from "@fanfold/schemas";
import { isDirect, type PhaseRef } from "@fanfold/store";
import { formatOf } from "./artifact-format.ts";
import { artifactOf } from "./content.ts";

/** What an artifact is within its attempt: two of them may have the same name. */
type Slot = "output" | "part" | "collected" | "log" | "error_context";

/** An artifact's record with the content it is about. */
export interface ListedArtifact {
  readonly record: ArtifactRecord;
  readonly content: Content;
}

/** What the records of artifacts are made from. */
export interface ArtifactSource extends PhaseRef {
  readonly runId: string;
  readonly definition: CompiledPhase;
  /** Where content of a hash is, for people. */
  readonly locate: (sha256: string) => string;
}

interface Found {
  readonly slot: Slot;
  readonly name: string;
  readonly content: Content;
  readonly shard: number | null;
  readonly attempt: number | null;
  readonly atMs: number | undefined;
  readonly type?: ArtifactType;
  readonly meta?: ArtifactMeta | undefined;
}

/** What a phase made by its merge. Pure. */
export function foldArtifacts(source: ArtifactSource, fold: Fold): ListedArtifact[] {
  return "artifacts" in fold ? fold.artifacts.map((artifact) => listOutput(source, artifact, fold.at_ms)) : [];
}

/** What a person answered, by the record of the revision. Pure. */
export function answerArtifacts(source: ArtifactSource, record: PhaseRecord): ListedArtifact[] {
  return (record.artifacts ?? []).map((artifact) => listOutput(source, artifact, record.finished_at_ms));
}

/** An output of a phase as a whole. @param atMs when it was made, Unix ms */
function listOutput(source: ArtifactSource, artifact: Artifact, atMs: number | undefined): ListedArtifact {
  const { name, meta } = artifact;
  const place = { slot: "output", shard: null, attempt: null } as const;
  return list(source, { ...place, name, content: keptContent(artifact), atMs, meta });
}

/** What a shard made: its output and artifacts, what was collected, and what each attempt left. Pure. */
export function shardArtifacts(source: ArtifactSource, index: number, record: ShardRecord): ListedArtifact[] {
  const shard = source.definition.shard === null ? null : index;
  const found = (record.history ?? []).flatMap((attempt) => attemptArtifacts(attempt, shard));
  if (record.status === "succeeded") found.push(...resultArtifacts(source, shard, record));
  return found.map((one) => list(source, one));
}

function attemptArtifacts({ attempt, finished_at_ms: atMs, log, error_context }: AttemptRecord, shard: number | null) {
  const of = { shard, attempt, atMs } as const;
  const found: Found[] = [];
  if (log !== undefined) found.push({ ...of, ...LOG, content: log });
  if (error_context !== undefined) found.push({ ...of, ...ERROR_CONTEXT, content: error_context });
  return found;
}

const LOG = { slot: "log", name: "log", type: "log", meta: { format: "text" } } as const;
const ERROR_CONTEXT = {
  slot: "error_context",
  name: "error_context",
  type: "error_context",
  meta: { format: "json" },
} as const;

function resultArtifacts({ definition }: ArtifactSource, shard: number | null, record: ShardRecord): Found[] {
  const { result, log, attempt = null, finished_at_ms: atMs } = record;
  const of = { shard, attempt, atMs } as const;
  const found: Found[] = [];
  if (result !== undefined) {
    const { output, artifacts = {}, collected = {}, meta = {} } = result;
    const slot = isDirect(definition) ? "output" : "part";
    const main = definition.provides[0] ?? definition.id;
    for (const [name, content] of [[main, output] as const, ...Object.entries(artifacts)]) {
      found.push({ ...of, slot, name, content, meta: meta[name] });
    }
    for (const [name, content] of Object.entries(collected)) {
      const said = name === GIT_DIFF ? { format: "diff" } : undefined;
      found.push({ ...of, slot: "collected", name, content, meta: said });
    }
  }
  if (log !== undefined) found.push({ ...of, ...LOG, content: log });
  return found;
}

/** Name of the artifact that `collect: git_diff` makes. */
const GIT_DIFF = "git_diff";

function list(source: ArtifactSource, { slot, name, content, ...found }: Found): ListedArtifact {
  const { runId, phase, revision, definition, locate } = source;
  const { shard, attempt, atMs, type, meta } = found;
  const { sha256, size_bytes } = artifactOf(name, content);
  const isMain = (slot === "output" || slot === "part") && name === definition.provides[0];
  const record: ArtifactRecord = {
    artifact_id:
      slot === "output"
        ? outputId(runId, source, name)
        : artifactId([runId, phase, revision, shard, attempt, slot, name]),
    run_id: runId,
    phase,
    revision,
    shard,
    attempt,
    name,
    type: meta?.type ?? type ?? "file",
    ...formatOf(name, meta, isMain ? definition.merge.strategy : undefined),
    size_bytes,
    sha256,
    created_at: atMs === undefined ? null : new Date(atMs).toISOString(),
    location: "inline" in content ? "redis:" : locate(sha256),
    metadata: meta?.metadata ?? {},
  };
  return { record, content };
}

/** Id of an output of a phase: a revision has one of each name, so its attempt does not matter. */
export function outputId(runId: string, { phase, revision }: PhaseRef, name: string): string {
  return artifactId([runId, phase, revision, null, null, "output", name]);
}

function artifactId(place: readonly (string | number | null)[]): string {
  return `art_${createHash("sha256").update(JSON.stringify(place)).digest("hex").slice(0, 24)}`;
}

function keptContent({ inline, sha256, size_bytes }: Artifact): Content {
  return inline === undefined ? { sha256, size_bytes } : { inline };
}
