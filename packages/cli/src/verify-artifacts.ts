import { formatBytes, formatCount } from "@fanfold/core";
import { scanArtifacts } from "@fanfold/engine";
import { StoreError, streamContent } from "@fanfold/store";
import { phasesNamed } from "./phases-named.ts";
import type { Session } from "./session.ts";

/** What reading all artifacts of a run has shown. */
export interface Verification {
  readonly run_id: string;
  readonly artifacts: number;
  readonly bytes: number;
  readonly bad: readonly { readonly artifact_id: string; readonly place: string; readonly why: string }[];
}

/** Reads the artifacts of a run and compares them with their hashes; content that several of them share once. */
export async function verifyArtifacts(session: Session, runId: string, phase?: string): Promise<Verification> {
  const phases = phase === undefined ? undefined : await phasesNamed(session, runId, phase);
  const known = new Map<string, string | undefined>();
  const bad: Verification["bad"][number][] = [];
  let [artifacts, bytes] = [0, 0];
  for await (const { record, content } of scanArtifacts(session.engine, runId, { phases })) {
    artifacts += 1;
    if ("inline" in content) continue;
    if (!known.has(record.sha256)) {
      known.set(record.sha256, await findFault(session, record.sha256, record.size_bytes));
      bytes += record.size_bytes;
    }
    const why = known.get(record.sha256);
    const shard = record.shard === null ? "" : `[${record.shard}]`;
    const place = `${record.phase}@r${record.revision}${shard}/${record.name}`;
    if (why !== undefined) bad.push({ artifact_id: record.artifact_id, place, why });
  }
  return { run_id: runId, artifacts, bytes, bad };
}

/** The verification for people. */
export function verificationText({ artifacts, bytes, bad }: Verification): string {
  const lines = bad.map(({ place, why }) => `${place}: ${why}`);
  const count = `${formatCount(artifacts, "artifact")}, ${formatBytes(bytes)} read from the artifact store`;
  return [...lines, bad.length === 0 ? `all right: ${count}` : `${bad.length} bad of ${count}`].join("\n");
}

async function findFault(session: Session, sha256: string, sizeBytes: number): Promise<string | undefined> {
  try {
    const chunks = streamContent(session.store.artifacts, { sha256, size_bytes: sizeBytes });
    while ((await chunks.next()).done !== true) continue;
    return undefined;
  } catch (error) {
    if (!(error instanceof StoreError) || !error.code.startsWith("ARTIFACT_")) throw error;
    return error.message;
  }
}
