import type { Artifact, CompiledPhase, PhaseDependency, PhaseLedger, PhaseRecord } from "@fanfold/schemas";
import type { PlanGraph } from "../plan/plan-graph.ts";
import { formatBytes, formatCount } from "./human-format.ts";

/** A revision of a phase as plain JSON, for programs. */
export interface RevisionDocument {
  readonly phase: string;
  readonly revision: number;
  /** `superseded`: accepted, and run again since. A failed try of the next revision has the number that would have. */
  readonly status: PhaseRecord["status"] | "superseded";
  readonly matrix: CompiledPhase["matrix"];
  /** What it was made from; empty when from nothing. */
  readonly dependencies: readonly PhaseDependency[];
  readonly artifacts: readonly { readonly name: string; readonly sha256: string; readonly size_bytes: number }[];
  /** Ids of these artifacts among all of the run, in the same order. */
  readonly artifact_ids: readonly string[];
  /** Such as `3 shards, 1 reused, 34 B`, as far as it is known; null where nothing is. */
  readonly summary: string | null;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly stale: boolean;
  /** Such as `context r2 → r3`. */
  readonly stale_cause: string | null;
  readonly error: string | null;
}

/** What is known of revisions besides their records. */
export interface HistoryFacts {
  /** Counts of the shards of each phase, in the last revision that was opened. */
  readonly counts: ReadonlyMap<string, PhaseLedger>;
  /** Id of an output of a revision. */
  artifactId(phase: string, revision: number, name: string): string;
}

/**
 * The revisions of the phases of a run, oldest first, in declaration order of the phases. A phase that has never run
 * has none.
 *
 * @param earlier records of revisions that were run again, by `<phase>.r<revision>`
 * @param facts what else is known; the counts of a revision that was run again are not
 */
export function historyDocument(
  graph: PlanGraph,
  records: ReadonlyMap<string, PhaseRecord>,
  earlier: ReadonlyMap<string, PhaseRecord>,
  facts: HistoryFacts,
): RevisionDocument[] {
  return graph.ids.flatMap((id) => {
    const record = records.get(id);
    if (record === undefined) return [];
    const superseded = Array.from({ length: record.revision }, (_, i) => earlier.get(`${id}.r${i + 1}`));
    const past = superseded.flatMap((one) => (one === undefined ? [] : [one]));
    const phase = graph.phase(id);
    const documents: RevisionDocument[] = past.map((one) => ({
      ...revisionOf(phase, one, facts),
      status: "superseded",
      stale: false,
      stale_cause: null,
    }));
    const isListed = past.some(({ revision }) => revision === record.revision);
    // a new revision is in the making, or has come to nothing: the accepted one is in force
    const last = documents.at(-1);
    if (isListed && last !== undefined) {
      const { stale, stale_cause } = revisionOf(phase, record, facts);
      documents[documents.length - 1] = { ...last, stale, stale_cause };
    }
    if (record.status === "succeeded") return [...documents, revisionOf(phase, record, facts)];
    if (record.status === "pending" || record.status === "skipped") return documents;
    return [...documents, makingOf(phase, record, facts)];
  });
}

function revisionOf(phase: CompiledPhase, record: PhaseRecord, facts: HistoryFacts): RevisionDocument {
  const { revision, stale, artifacts = [] } = record;
  return {
    phase: phase.id,
    revision,
    status: record.status,
    matrix: phase.matrix,
    dependencies: record.dependencies ?? [],
    artifacts: artifacts.map(({ name, sha256, size_bytes }) => ({ name, sha256, size_bytes })),
    artifact_ids: artifacts.map(({ name }) => facts.artifactId(phase.id, revision, name)),
    summary: summaryOf(phase, revision, artifacts, facts),
    started_at: timeText(record.started_at_ms),
    completed_at: timeText(record.finished_at_ms),
    stale: stale !== undefined,
    stale_cause: stale === undefined ? null : `${stale.phase} r${stale.used} → r${stale.latest}`,
    error: null,
  };
}

/** A try of the next revision that runs, or that came to nothing. */
function makingOf(phase: CompiledPhase, record: PhaseRecord, facts: HistoryFacts): RevisionDocument {
  const revision = record.revision + 1;
  return {
    ...revisionOf(phase, record, facts),
    revision,
    dependencies: record.making ?? [],
    artifacts: [],
    artifact_ids: [],
    summary: summaryOf(phase, revision, [], facts),
    stale: false,
    stale_cause: null,
    error: record.cause?.message ?? record.cause?.code ?? null,
  };
}

function summaryOf(
  { id, shard }: CompiledPhase,
  revision: number,
  artifacts: readonly Artifact[],
  { counts }: HistoryFacts,
): string | null {
  const known = counts.get(id);
  const parts = shard !== null && known?.revision === revision ? shardParts(known) : [];
  if (artifacts.length > 0) parts.push(formatBytes(artifacts.reduce((sum, { size_bytes }) => sum + size_bytes, 0)));
  return parts.length === 0 ? null : parts.join(", ");
}

function shardParts({ total, reused = 0, failed, cancelled }: PhaseLedger): string[] {
  const counted = [
    [reused, "reused"],
    [failed, "failed"],
    [cancelled, "cancelled"],
  ] as const;
  return [
    formatCount(total, "shard"),
    ...counted.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])),
  ];
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
