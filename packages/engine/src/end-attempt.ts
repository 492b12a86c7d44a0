import { type FinishReply, isDirect } from "@fanfold/store";
import type { EngineWorkings } from "./engine-workings.ts";
import type { AttemptEnd, AttemptEndReply } from "./attempt-end.ts";
import type { PhaseEnds } from "./phase-ends.ts";

/**
 * Records the end of an attempt, and puts on their queues what may now run. After a success the job may go on with a
 * shard that this starts: with some of phases that the success opens ({@link PhaseEnds}), or with the next one of its
 * own phase, where a cap has kept that from the queue and nothing else waits there. What a job carries is work done in its
 * worker; it gets a job of its own only if this one cannot end it well.
 *
 * May be repeated, and may die at any point, as completing a phase.
 */
export async function endAttempt(workings: EngineWorkings, ends: PhaseEnds, end: AttemptEnd): Promise<AttemptEndReply> {
  const { engine, store, states } = workings;
  const { runId, ref, finish, claimant, isCarried } = end;
  const { graph } = await states.plan(runId);
  const definition = graph.has(ref.phase) ? graph.phase(ref.phase) : undefined;
  const hasSucceeded = finish.outcome === "succeeded";
  if (hasSucceeded && definition !== undefined && isDirect(definition)) return ends.complete(end);
  const carrier = hasSucceeded && definition?.work.kind === "handler" ? end.carrier : undefined;
  const finished = await store.ledger.finishShard(runId, ref, finish, { claimant, isCarried, carrier });
  const others = finished.claimed.filter(({ carried }) => !carried);
  await engine.release(runId, others, claimant);
  if (finished.opensGate) await store.queues.removeGate(runId, ref);
  return { finished, ...nextOf(finished) };
}

/** The shard that the job carries now. */
function nextOf({ claimed, carried: record }: FinishReply): Pick<AttemptEndReply, "next"> {
  const ref = claimed.find(({ carried }) => carried);
  return record === undefined || ref === undefined ? {} : { next: [{ ref, record }] };
}
