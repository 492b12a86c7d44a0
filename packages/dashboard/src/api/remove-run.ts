import { collectArtifacts } from "@fanfold/engine";
import type { RemovedDocument } from "@fanfold/schemas";
import type { ApiParts } from "./api-parts.ts";

/**
 * Removes a run that is over, then the content that it alone referred to. When that content cannot be removed, the run
 * is gone all the same, and `remark` says why files stayed.
 *
 * @throws {StoreError} RUN_NOT_FOUND
 * @throws {EngineError} RUN_LIVE, RUN_BUSY
 */
export async function removeRun({ engine, log }: ApiParts, runId: string, actor: string): Promise<RemovedDocument> {
  const { keys, references } = await engine.remove(runId, { force: false, actor });
  const removed = { run_id: runId, is_removed: true, keys } as const;
  try {
    const only = { graceMs: 0, dryRun: false, only: references };
    const { files, bytes, sharedWith } = await collectArtifacts(engine, only);
    const [other] = sharedWith;
    const remark = other === undefined ? null : `another deployment uses this artifact store too (${other.label})`;
    return { ...removed, files, bytes, remark };
  } catch (err) {
    log.info({ err, run: runId }, "the run was removed, its content was not");
    const remark = `the artifact store did not remove them; \`fanfold gc\` tries again: ${messageOf(err)}`;
    return { ...removed, files: 0, bytes: 0, remark };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
