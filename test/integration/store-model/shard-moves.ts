import { expect } from "vitest";
import { forecastFinish, forecastStart, isHalted, type Model, type RunModel, type ShardModel } from "./model.ts";
import type { ShardMove } from "./moves.ts";
import { phaseOf } from "./plan.ts";
import { finishOf, type PlayedAttempt, type PlayedSite, unlessRefused } from "./played-site.ts";

/** The shard a move is about. */
export interface ShardPlace {
  readonly model: Model;
  readonly run: RunModel;
  readonly shard: ShardModel;
  readonly site: PlayedSite;
}

/** Does to a shard, really and in the model, what a move says, and checks the answer. */
export async function performOnShard(move: ShardMove, place: ShardPlace): Promise<void> {
  const { shard, run, site } = place;
  switch (move.kind) {
    case "start":
    case "lose":
    case "retry_job":
      return startShard(place);
    case "cancel_shard": {
      const index = Number(shard.id.slice(shard.id.lastIndexOf(".") + 1));
      await unlessRefused(site.engine.cancelPart(run.id, { phase: phaseOf(shard.id), shard: index }, "test"));
      return;
    }
    case "late_finish":
      return finishAgain(place, shard.attempts[0], true);
    case "repeat_finish":
      return finishAgain(place, shard.attempts.at(-1), false);
    case "finish":
      return finishShard(move, place);
  }
}

/** The end of an attempt comes after another attempt, or its own end. */
async function finishAgain(
  { run, shard, site }: ShardPlace,
  attempt: PlayedAttempt | undefined,
  isRefused: boolean,
): Promise<void> {
  if (attempt === undefined) return;
  const finish = finishOf(attempt, "succeeded", site.nowMs());
  const { verdict } = await site.finish(run.id, shard.id, finish, { dies: false, goesOn: false });
  expect(verdict === "refused", `${shard.id}: a late result is ${verdict}`).toBe(isRefused);
}

async function finishShard(move: ShardMove & { kind: "finish" }, place: ShardPlace): Promise<void> {
  const { model, run, shard, site } = place;
  const current = shard.attempts.at(-1);
  if (current === undefined) throw new Error(`${shard.id} runs without an attempt`);
  const halted = isHalted(model.last.runs.get(run.id), shard.id);
  // nobody kills what may go on
  const ending = move.ending === "killed" && !halted ? "given_back" : move.ending;
  const state = forecastFinish(shard, ending, halted);
  const { carrier } = shard;
  const finish = finishOf(current, ending, site.nowMs());
  const { verdict, next } = await site.finish(run.id, shard.id, finish, { ...move, carrier });
  const isStopped = state === "cancelled" && ending !== "killed";
  expect(verdict, `${shard.id}: end of the attempt`).toBe(isStopped ? "stopped" : "ok");
  if (ending === "failed") shard.tries += 1;
  const working = run.shards.find(({ id }) => id === carrier) ?? shard;
  working.isStalled = move.dies;
  shard.state = state;
  if (carrier !== undefined && ending !== "succeeded") leaveCarrier(shard);
  shard.carrier = undefined;
  const follower = run.shards.find(({ id }) => id === next?.id);
  if (next === undefined || follower === undefined) return;
  expect(follower.state, `${follower.id}: carried by ${working.id}`).toBe("idle");
  follower.attempts.push(next.attempt);
  Object.assign(follower, { state: "running", starts: 1, carrier: working.id });
}

/** From now on it has a job of its own, which comes once whatever has become of the shard. */
function leaveCarrier(shard: ShardModel): void {
  shard.starts = 0;
  shard.isOwed = shard.state === "failed" || shard.state === "cancelled";
}

/** A worker gets the shard's job. */
async function startShard({ model, run, shard, site }: ShardPlace): Promise<void> {
  const forecast = forecastStart(model, run, shard);
  const isLost = shard.state === "running";
  const isRetry = (shard.state === "failed" || shard.state === "cancelled") && !shard.isOwed && !shard.isStalled;
  if (isLost && shard.carrier !== undefined) await site.takeOver(run.id, shard.carrier);
  shard.carrier = undefined;
  if (!isLost && !shard.isStalled) shard.starts += 1;
  const { verdict, attempt } = await site.start(run.id, shard.id, { worker: "w", starts: shard.starts });
  // what a retry lets go on besides may take the slot first
  const isAsForecast = isRetry ? ["run", "no_slot"].includes(verdict) : verdict === forecast.verdict;
  expect(isAsForecast, `${shard.id} is ${shard.state}: start brings ${verdict}, not ${forecast.verdict}`).toBe(true);
  shard.isStalled = false;
  shard.isOwed = false;
  if (isRetry) Object.assign(shard, { tries: 0, losses: 0 });
  if (isLost) shard.losses += 1;
  if (attempt !== undefined) shard.attempts.push(attempt);
  shard.state = isRetry ? (verdict === "run" ? "running" : "queued") : forecast.state;
}
