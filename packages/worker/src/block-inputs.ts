import type { CompiledPhase, CompiledPlan } from "@fanfold/schemas";
import type { BlockRef, ShardRef } from "@fanfold/store";
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
  context: AttemptPlace,
  { runId, block, plan, phase }: PlannedBlock,
): Promise<SharedByBlock> {
  const { inputs } = context;
  const handlers = await takeHandlers(context, plan, phase);
  const wanted = { phase, size: block.size, maxBytes: MAX_RECORDS_BYTES };
  const records = await inputs.readBlock(runId, block, wanted).catch((): string[] => []);
  const recordsAtHand = (shard: number): string | undefined => records?.[shard - block.shard];
  const recordsOf = async (shard: number): Promise<string | undefined> =>
    records?.length === 0 ? inputs.readRecords(runId, { ...block, shard }, phase) : recordsAtHand(shard);
  return { recordsOf, recordsAtHand, handlers, places: new Map() };
}

/** What a shard that another one's job carries need not look up itself. */
export async function shareInCarry(
  context: AttemptPlace,
  { runId, plan, phase }: Pick<PlannedBlock, "runId" | "plan" | "phase">,
  ref: ShardRef,
): Promise<SharedByBlock> {
  const handlers = await takeHandlers(context, plan, phase);
  const recordsOf = (): Promise<string | undefined> => context.inputs.readRecords(runId, ref, phase);
  return { handlers, recordsOf, recordsAtHand: () => undefined };
}

/** The handler of a phase, as it was a moment ago; none when it cannot be loaded. */
async function takeHandlers(
  { workspaceDir, rules }: AttemptPlace,
  { base_dir: baseDir }: CompiledPlan,
  phase: CompiledPhase,
): Promise<SharedByBlock["handlers"]> {
  if (phase.work.kind !== "handler") return new Map();
  const { handler: path } = phase.work;
  const handler = await loadRecentHandler({ workspaceDir, baseDir, rules, phase }, path).catch(() => undefined);
  return handler === undefined ? new Map() : new Map([[path, Promise.resolve(handler)]]);
}
