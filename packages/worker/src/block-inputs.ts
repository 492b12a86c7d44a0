import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";
import type { BlockRef } from "@fanfold/store";
import { loadRecentHandler } from "./attempt/load-handler.ts";
import type { AttemptPlace, SharedByBlock } from "./execute-attempt.ts";

/** Records of a block's shards that are read as one, in bytes; larger ones are read shard by shard. */
const MAX_RECORDS_BYTES = 1024 * 1024;

/** A block of a phase, and the plan it is of. */
interface PlannedBlock {
  readonly runId: string;
  readonly block: BlockRef;
  readonly plan: CompiledPlan;
  readonly phase: CompiledPhase;
}

/**
 * Gets ready what all shards of a block need: its handler, and their records. Where that fails, each attempt tries it
 * again, and fails with it.
 */
export async function shareInBlock(
  { inputs, workspaceDir, rules }: AttemptPlace,
  { runId, block, plan, phase }: PlannedBlock,
): Promise<SharedByBlock> {
  const handlers: SharedByBlock["handlers"] = new Map();
  if (phase.work.kind === "handler") {
    const place = { workspaceDir, baseDir: plan.base_dir, rules, phase };
    const { handler: path } = phase.work;
    const handler = await loadRecentHandler(place, path).catch(() => undefined);
    if (handler !== undefined) handlers.set(path, Promise.resolve(handler));
  }
  const wanted = { phase, size: block.size, maxBytes: MAX_RECORDS_BYTES };
  const records = await inputs.readBlock(runId, block, wanted).catch((): string[] => []);
  const recordsOf = async (shard: number): Promise<string | undefined> =>
    records?.length === 0 ? inputs.readRecords(runId, { ...block, shard }, phase) : records?.[shard - block.shard];
  return { recordsOf, handlers };
}
