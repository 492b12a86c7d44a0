import { JsonlError, ShardError } from "@fanfold/core";
import type { CompiledPhase, Content, PhaseRecord } from "@fanfold/schemas";
import { isDirect, type PhaseOpening, type PhaseRef, StoreError } from "@fanfold/store";
import { ackClaims } from "./ack-claims.ts";
import { askForSpawner, maySpawnPhases } from "./await-children.ts";
import { contentOf } from "./content.ts";
import type { EngineWorkings } from "./engine-workings.ts";
import { discardMaking } from "./discard-making.ts";
import { type Expansion, expandPhase } from "./expand-phase.ts";
import { loadPinnedInputs, type PinnedInputs } from "./pinned-inputs.ts";
import { type Fingerprints, fingerprint, reuseShards } from "./reuse/reuse-shards.ts";

/**
 * Opens a phase that a decision started: expands it into shards, claims the first of them and puts its flow on the
 * queues. Done twice, it changes nothing more. A phase that has to wait for its lock is opened once it holds it; one that
 * cannot be expanded has failed.
 */
export async function openPhase(workings: EngineWorkings, runId: string, { phase, revision }: PhaseRef): Promise<void> {
  const ref = { phase, revision };
  const { plan, graph } = await workings.states.plan(runId);
  const definition = graph.phase(phase);
  const inputs = await loadPinnedInputs(workings.store, runId, definition);
  const record = inputs.recordOf(phase);
  if (record?.status !== "running" || record.revision + 1 !== revision) return;
  if (record.turn !== undefined) await discardOwed(workings, runId, ref);
  if (!(await workings.locks.acquire(runId, ref, definition))) return;
  const expansion = await expand(workings, runId, { ref, definition, inputs });
  if (expansion === undefined) return;
  const prints = await fingerprint(workings.store, { plan, definition, inputs }, expansion);
  const opening = openingOf({ ref, definition, record, order: graph.index(phase) }, expansion, prints);
  const isMadeAfresh = definition.reuse?.refresh === true || record.afresh === true || expansion.shardCount === 0;
  if (prints === undefined || isMadeAfresh) return release(workings, runId, definition, opening);
  await reuse(workings, { runId, definition }, opening, prints);
  return release(workings, runId, definition, { ...opening, reuse: "end" });
}

/** What the ledger is told of a phase that a decision started. */
export function openingOf(
  { ref, definition, record, order }: StartedPhase,
  { shardCount, recordCount, inputs }: Expansion,
  prints?: Fingerprints,
): PhaseOpening {
  const turn = record.turn === undefined ? {} : { turn: record.turn };
  return {
    ...ref,
    order,
    shardCount,
    maxParallel: definition.max_parallel,
    tolerated: isDirect(definition) ? 0 : tolerance(definition.max_failed_shards, shardCount),
    maxConsecutiveFailures: definition.max_consecutive_failures,
    concurrencyKey: definition.concurrency_key,
    isAgain: record.turn !== undefined,
    firstBlock: firstBlock(definition),
    turn: record.turn ?? 0,
    inputs: { ...inputs, ...(prints === undefined ? {} : { reuse: prints.print }) },
    started: {
      revision: ref.revision,
      strategy: definition.for_each === undefined ? (definition.shard?.strategy ?? "none") : "for_each",
      shard_count: shardCount,
      record_count: recordCount,
      max_parallel: definition.max_parallel,
      pool: definition.pool,
      ...turn,
    },
  };
}

/** A phase that a decision started. */
interface StartedPhase {
  readonly ref: PhaseRef;
  readonly definition: CompiledPhase;
  readonly record: PhaseRecord;
  /** Position in declaration order. */
  readonly order: number;
}

/** Opens a phase without handing out any of it, and lets its shards take over what can be reused. */
async function reuse(
  { store, clock }: EngineWorkings,
  { runId, definition }: { runId: string; definition: CompiledPhase },
  opening: PhaseOpening,
  prints: Fingerprints,
): Promise<void> {
  const { phase, revision, shardCount } = opening;
  const options = { claimant: claimantOf(opening), nowMs: clock.nowMs() };
  await store.ledger.openPhase(runId, { ...opening, reuse: "begin" }, options);
  const place = { runId, ref: { phase, revision }, shardCount };
  await reuseShards(store, place, prints, { definition, nowMs: () => clock.nowMs() });
}

/** Claims the first shards of a phase, and puts its flow on the queues. */
async function release(
  workings: EngineWorkings,
  runId: string,
  definition: CompiledPhase,
  opening: PhaseOpening,
): Promise<void> {
  const { store, engine, clock } = workings;
  const { phase, revision, shardCount } = opening;
  const ref = { phase, revision };
  const claimant = claimantOf(opening);
  // sent together: what is asked is answered as it is once the phase is open
  const [{ progress, claimed }, inFlight, hasFlow, reused] = await Promise.all([
    store.ledger.openPhase(runId, opening, { claimant, nowMs: clock.nowMs() }),
    store.ledger.countInFlight(runId),
    store.queues.hasFlow(runId, ref),
    opening.reuse === undefined ? 0 : store.ledger.findPhase(runId, phase).then((counts) => counts?.reused ?? 0),
  ]);
  const isOwn = (shard: PhaseRef): boolean => shard.phase === phase && shard.revision === revision;
  await store.queues.addFlow({ ...ref, runId, definition, shardCount, inFlight }, claimed.filter(isOwn), {
    hasFlow,
    jobCount: shardCount - reused,
  });
  // whatever else was free for this run to start
  const others = claimed.filter((shard) => !isOwn(shard));
  await engine.release(runId, others, claimant);
  await ackClaims(workings, runId, claimant, { carried: false });
  if (progress === "drained") await engine.report(runId, ref);
  // its only shard was reused, so no attempt will end it
  if (progress === "complete" && isDirect(definition)) await engine.settle(runId, ref);
}

function claimantOf({ phase, revision }: PhaseRef): string {
  return `open.${phase}.r${revision}`;
}

/** What is left of an earlier making goes first, also when whoever was to see to it has died. */
async function discardOwed(workings: EngineWorkings, runId: string, ref: PhaseRef): Promise<void> {
  const outbox = await workings.store.runs.listOutbox(runId);
  for (const effect of outbox) {
    if (effect.kind !== "discard_making" || effect.phase !== ref.phase || effect.revision !== ref.revision) continue;
    await discardMaking(workings, runId, effect);
    await workings.store.runs.ackEffect(runId, effect);
  }
}

/** The shards of a phase; undefined when its input makes no sense, which has failed the phase. */
async function expand(
  workings: EngineWorkings,
  runId: string,
  { ref, definition, inputs }: { ref: PhaseRef; definition: CompiledPhase; inputs: PinnedInputs },
): Promise<Expansion | undefined> {
  const find = (name: string): Content => {
    const records = inputs.artifactsOf(definition.over_phase ?? "");
    const artifact = records?.find((candidate) => candidate.name === name);
    if (artifact !== undefined) return contentOf(artifact);
    throw new ShardError("MISSING_RECORDS", `phase ${definition.over_phase} has not provided ${name} in this run`);
  };
  try {
    const expansion = await expandPhase(definition, workings.store.artifacts, find);
    if (definition.over_phase === null) return expansion;
    const source_revision = inputs.revisionOf(definition.over_phase);
    return { ...expansion, inputs: { ...expansion.inputs, source_revision } };
  } catch (error) {
    if (!isUserFault(error)) throw error;
    const cause = { code: "expansion_failed", message: error.message } as const;
    await workings.decideOn(runId, { type: "phase_failed", ...ref, cause, failedShards: 0 });
    return undefined;
  }
}

/** Lets a phase go on whose shards a stop had held back or cancelled; one that was never opened is opened. */
export async function resumeRelease(
  workings: EngineWorkings,
  runId: string,
  { phase, revision }: PhaseRef,
): Promise<void> {
  const counts = await workings.store.ledger.findPhase(runId, phase);
  if (counts === undefined || counts.revision !== revision) return openPhase(workings, runId, { phase, revision });
  const { graph } = await workings.states.plan(runId);
  if (!(await workings.locks.acquire(runId, { phase, revision }, graph.phase(phase)))) return;
  if (counts.recalled === 1) return;
  const ref = { phase, revision };
  await refold(workings, runId, ref);
  const recalled = new Set(await workings.store.ledger.listRecalled(runId, ref));
  const cancelled = await workings.store.ledger.listCancelled(runId, ref);
  await workings.engine.requeue(
    runId,
    ref,
    cancelled.filter((shard) => !recalled.has(shard)),
  );
  if (!maySpawnPhases((await workings.states.plan(runId)).plan)) return;
  const spawners = await workings.store.ledger.listSpawners(runId);
  for (const spawner of spawners) if (spawner.phase === phase) await askForSpawner(workings, runId, spawner);
}

/** Runs a merge again that a stop had killed. */
async function refold(workings: EngineWorkings, runId: string, ref: PhaseRef): Promise<void> {
  const fold = await workings.store.ledger.findFold(runId, ref);
  if (fold === undefined || !("failure" in fold) || fold.failure.error_code !== "CANCELLED") return;
  await workings.store.queues.retryAggregate(runId, ref);
  await workings.store.ledger.clearFoldFailure(runId, ref);
}

/**
 * Most shards of a block while nobody knows how long they take: a command takes some milliseconds at least. A slot of a
 * concurrency key is taken one by one.
 */
function firstBlock({ work, shard, concurrency_key: key }: CompiledPhase): number {
  if (shard === null || key !== null) return 0;
  return { handler: 32, command: 8, approval: 0 }[work.kind];
}

/** Failed shards a phase of this size tolerates. */
function tolerance({ unit, value }: CompiledPhase["max_failed_shards"], shardCount: number): number {
  return unit === "shards" ? value : Math.floor(value * shardCount);
}

function isUserFault(error: unknown): error is JsonlError | ShardError | StoreError {
  if (error instanceof StoreError) return error.code === "ARTIFACT_NOT_FOUND" || error.code === "ARTIFACT_CORRUPT";
  return error instanceof JsonlError || error instanceof ShardError;
}
