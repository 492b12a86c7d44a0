import type { CompiledPhase, PhaseDependency, PhaseRecord } from "@fanfold/schemas";
import type { PlanGraph } from "../plan/plan-graph.ts";

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
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly stale: boolean;
  /** Such as `context r2 → r3`. */
  readonly stale_cause: string | null;
  readonly error: string | null;
}

/**
 * The revisions of the phases of a run, oldest first, in declaration order of the phases. A phase that has never run
 * has none.
 *
 * @param earlier records of revisions that were run again, by `<phase>.r<revision>`
 */
export function historyDocument(
  graph: PlanGraph,
  records: ReadonlyMap<string, PhaseRecord>,
  earlier: ReadonlyMap<string, PhaseRecord>,
): RevisionDocument[] {
  return graph.ids.flatMap((id) => {
    const record = records.get(id);
    if (record === undefined) return [];
    const superseded = Array.from({ length: record.revision }, (_, i) => earlier.get(`${id}.r${i + 1}`));
    const past = superseded.flatMap((one) => (one === undefined ? [] : [one]));
    const { matrix } = graph.phase(id);
    const documents: RevisionDocument[] = past.map((one) => ({
      ...revisionOf(id, one, matrix),
      status: "superseded",
      stale: false,
      stale_cause: null,
    }));
    const isListed = past.some(({ revision }) => revision === record.revision);
    // a new revision is in the making, or has come to nothing: the accepted one is in force
    const last = documents.at(-1);
    if (isListed && last !== undefined) {
      const { stale, stale_cause } = revisionOf(id, record, matrix);
      documents[documents.length - 1] = { ...last, stale, stale_cause };
    }
    if (record.status === "succeeded") return [...documents, revisionOf(id, record, matrix)];
    if (record.status === "pending" || record.status === "skipped") return documents;
    return [...documents, makingOf(id, record, matrix)];
  });
}

function revisionOf(phase: string, record: PhaseRecord, matrix: CompiledPhase["matrix"]): RevisionDocument {
  const { stale } = record;
  return {
    phase,
    revision: record.revision,
    status: record.status,
    matrix,
    dependencies: record.dependencies ?? [],
    artifacts: (record.artifacts ?? []).map(({ name, sha256, size_bytes }) => ({ name, sha256, size_bytes })),
    started_at: timeText(record.started_at_ms),
    completed_at: timeText(record.finished_at_ms),
    stale: stale !== undefined,
    stale_cause: stale === undefined ? null : `${stale.phase} r${stale.used} → r${stale.latest}`,
    error: null,
  };
}

/** A try of the next revision that runs, or that came to nothing. */
function makingOf(phase: string, record: PhaseRecord, matrix: CompiledPhase["matrix"]): RevisionDocument {
  return {
    ...revisionOf(phase, record, matrix),
    revision: record.revision + 1,
    dependencies: record.making ?? [],
    artifacts: [],
    stale: false,
    stale_cause: null,
    error: record.cause?.message ?? record.cause?.code ?? null,
  };
}

function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
