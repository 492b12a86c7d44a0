import { isRunOver } from "@fanfold/core";
import type { AsyncCommand } from "fast-check";
import { expect } from "vitest";
import { checkInvariants, checkJournal, listUnqueued } from "./invariants.ts";
import {
  forecastFinish,
  forecastStart,
  isHalted,
  isSideEffect,
  type Model,
  newRunModel,
  type RunModel,
  type ShardModel,
  type ShardState,
  stateOf,
} from "./model.ts";
import { phaseOf } from "./plan.ts";
import { type Ending, finishOf, type PlayedSite, unlessRefused } from "./played-site.ts";
import { readSnapshot } from "./snapshot.ts";

/** What can happen. `start` of a running shard tells of the loss of its worker; of one that has ended, of a retry. */
export type Move =
  | { readonly kind: "submit" | "tend" | "sweep" | "pause" | "resume" | "cancel" | "retry_all" }
  | { readonly kind: "start" | "lose" | "retry_job" | "late_finish" | "repeat_finish" }
  | { readonly kind: "finish"; readonly ending: Ending; readonly dies: boolean }
  | { readonly kind: "cancel_phase" | "cancel_shard" | "retry_phase" };

/** A move in one of two runs; `pick` chooses among the shards it may be about. */
export class Step implements AsyncCommand<Model, PlayedSite, false> {
  readonly move: Move;
  readonly place: number;
  readonly pick: number;

  constructor(move: Move, place: number, pick: number) {
    this.move = move;
    this.place = place;
    this.pick = pick;
  }

  toString(): string {
    const { kind, ...rest } = this.move;
    return `${kind}(run ${this.place}, pick ${this.pick}${Object.values(rest).map((v) => `, ${v}`)})`;
  }

  check(model: Readonly<Model>): boolean {
    const run = model.runs[this.place];
    if (this.move.kind === "submit") return run === undefined;
    if (run === undefined) return false;
    if (this.move.kind === "resume") return run.isPaused;
    return !isAboutShard(this.move) || this.#shards(model, run).length > 0;
  }

  async run(model: Model, site: PlayedSite): Promise<void> {
    await this.#perform(model, site);
    model.last = await readSnapshot(
      site.store,
      model.runs.flatMap((run) => (run === undefined ? [] : [run.id])),
    );
    checkInvariants(model.last);
    for (const run of model.runs) if (run !== undefined) await compare(model, run, site);
  }

  /** Shards the move may be about. */
  #shards(model: Readonly<Model>, run: RunModel): readonly ShardModel[] {
    const real = model.last.runs.get(run.id);
    const unqueued = real === undefined ? new Set<string>() : listUnqueued(real);
    return run.shards.filter((shard) => {
      const { state } = shard;
      const hasEnded = state === "failed" || state === "cancelled";
      switch (this.move.kind) {
        case "start": {
          const isDue = state === "queued" || state === "backoff" || (hasEnded && shard.isOwed);
          return !unqueued.has(shard.id) && (isDue || (shard.isStalled && state !== "running"));
        }
        case "lose":
        case "finish":
          return state === "running";
        case "retry_job":
          return hasEnded && !shard.isOwed && !shard.isStalled && shard.starts > 0 && real?.record.stop !== "cancel";
        case "late_finish":
          return shard.attempts.length > 1;
        case "repeat_finish":
          return shard.attempts.length > 0 && state !== "running";
        default:
          return true;
      }
    });
  }

  async #perform(model: Model, site: PlayedSite): Promise<void> {
    const { move } = this;
    if (move.kind === "submit") return this.#submit(model, site);
    const run = model.runs[this.place];
    if (run === undefined) return;
    const shards = this.#shards(model, run);
    const shard = shards[this.pick % shards.length];
    if (isAboutShard(move) && shard !== undefined) return this.#onShard(model, run, shard, site);
    const phase = ["left", "right", "join"][this.pick % 3] ?? "left";
    switch (move.kind) {
      case "tend":
        return site.tend(run.id);
      case "sweep":
        return site.sweep(model.runs.flatMap((each) => (each === undefined ? [] : [each.id])));
      case "pause":
        if (await unlessRefused(site.engine.pause(run.id, "test"))) run.isPaused = true;
        return;
      case "resume":
        if (await unlessRefused(site.engine.resume(run.id, "test"))) run.isPaused = false;
        return;
      case "cancel":
        if (await unlessRefused(site.engine.cancel(run.id, "test"))) run.isCancelled = true;
        return;
      case "cancel_phase":
        return void (await unlessRefused(site.engine.cancelPart(run.id, { phase })));
      case "retry_all":
        return void (await unlessRefused(site.engine.retry(run.id, {}, "test")));
      case "retry_phase":
        return void (await unlessRefused(site.engine.retry(run.id, { phase }, "test")));
      default:
        return;
    }
  }

  async #submit(model: Model, site: PlayedSite): Promise<void> {
    const id = `run-${this.place}-${site.nowMs()}`;
    await site.submit(id);
    model.runs[this.place] = newRunModel(id);
  }

  async #onShard(model: Model, run: RunModel, shard: ShardModel, site: PlayedSite): Promise<void> {
    const { move } = this;
    const halted = isHalted(model.last.runs.get(run.id), shard.id);
    const current = shard.attempts.at(-1);
    switch (move.kind) {
      case "start":
      case "lose":
      case "retry_job":
        return startShard(model, run, shard, site);
      case "cancel_shard": {
        const shardIndex = Number(shard.id.slice(shard.id.lastIndexOf(".") + 1));
        const part = { phase: phaseOf(shard.id), shard: shardIndex };
        return void (await unlessRefused(site.engine.cancelPart(run.id, part)));
      }
      case "late_finish": {
        const [late] = shard.attempts;
        if (late === undefined) return;
        const finish = finishOf(late, "succeeded", site.nowMs());
        expect(await site.finish(run.id, shard.id, finish, { dies: false }), "a late result").toBe("refused");
        return;
      }
      case "repeat_finish": {
        if (current === undefined) return;
        const finish = finishOf(current, "succeeded", site.nowMs());
        expect(await site.finish(run.id, shard.id, finish, { dies: false })).not.toBe("refused");
        return;
      }
      case "finish": {
        if (current === undefined) throw new Error(`${shard.id} runs without an attempt`);
        // nobody kills what may go on
        const ending = move.ending === "killed" && !halted ? "given_back" : move.ending;
        const state = forecastFinish(shard, ending, halted);
        const finish = finishOf(current, ending, site.nowMs());
        const verdict = await site.finish(run.id, shard.id, finish, move);
        const isStopped = state === "cancelled" && ending !== "killed";
        expect(verdict, `${shard.id}: end of the attempt`).toBe(isStopped ? "stopped" : "ok");
        if (ending === "failed") shard.tries += 1;
        shard.isStalled = move.dies;
        shard.state = state;
        return;
      }
      default:
        return;
    }
  }
}

function isAboutShard({ kind }: Move): boolean {
  return /^(start|lose|finish|retry_job|late_finish|repeat_finish|cancel_shard)$/.test(kind);
}

/** A worker gets the shard's job. */
export async function startShard(model: Model, run: RunModel, shard: ShardModel, site: PlayedSite): Promise<void> {
  const forecast = forecastStart(model, run, shard);
  const isLost = shard.state === "running";
  const isRetry = (shard.state === "failed" || shard.state === "cancelled") && !shard.isOwed && !shard.isStalled;
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

/** Model and store agree on every shard; what a step moved besides, it was allowed to. */
async function compare(model: Model, run: RunModel, site: PlayedSite): Promise<void> {
  const real = model.last.runs.get(run.id);
  if (real === undefined) throw new Error(`no ${run.id}`);
  if (isRunOver(real.record.status)) run.isPaused = false;
  expect(real.record.paused, `${run.id}: paused`).toBe(run.isPaused);
  if (run.isCancelled) expect(real.record.stop, `${run.id}: stop`).toBe("cancel");
  for (const shard of run.shards) {
    const record = real.shards.get(shard.id);
    const state = stateOf(record?.status);
    expect(
      isSideEffect(shard.state, state, real, shard.id),
      `${run.id} ${shard.id}: ${shard.state} in the model, ${state} in the store`,
    ).toBe(true);
    follow(shard, state);
    if (state !== "running") continue;
    expect(record?.fence, `${shard.id}: fence`).toBe(shard.attempts.at(-1)?.fence);
    expect([record?.tries ?? 0, record?.losses ?? 0], `${shard.id}: tries, losses`).toEqual([
      shard.tries,
      shard.losses,
    ]);
  }
  const lines = [];
  for await (const line of site.store.journal.readAll(run.id)) lines.push(line);
  checkJournal(lines, real.seq);
}

/** Takes over what a step did to a shard it was not about. */
function follow(shard: ShardModel, state: ShardState): void {
  if (shard.state === state) return;
  if (state === "cancelled") shard.isOwed = true;
  if (state === "queued" && shard.state !== "idle") {
    Object.assign(shard, { tries: 0, losses: 0, isOwed: false });
  }
  shard.state = state;
}
