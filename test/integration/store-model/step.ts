import { isRunOver } from "@fanfold/core";
import type { AsyncCommand } from "fast-check";
import { expect } from "vitest";
import { checkInvariants, checkJournal } from "./invariants.ts";
import {
  isSideEffect,
  type Model,
  newRunModel,
  type RunModel,
  type ShardModel,
  type ShardState,
  stateOf,
} from "./model.ts";
import { isShardMove, type Move, type RunMove, shardsFor } from "./moves.ts";
import { PHASES } from "./plan.ts";
import { type PlayedSite, unlessRefused } from "./played-site.ts";
import { performOnShard } from "./shard-moves.ts";
import { readSnapshot } from "./snapshot.ts";

/** A move in one of two runs; `pick` chooses among the shards or phases it may be about. */
export class Step implements AsyncCommand<Model, PlayedSite> {
  readonly move: Move;
  readonly place: number;
  readonly pick: number;

  constructor(move: Move, place: number, pick: number) {
    this.move = move;
    this.place = place;
    this.pick = pick;
  }

  toString(): string {
    const how =
      this.move.kind === "finish"
        ? `, ${this.move.ending}${this.move.goesOn ? ", goes on" : ""}${this.move.dies ? ", dies" : ""}`
        : "";
    return `${this.move.kind}(run ${this.place}, pick ${this.pick}${how})`;
  }

  check(model: Readonly<Model>): boolean {
    const run = model.runs[this.place];
    if (this.move.kind === "submit") return run === undefined;
    if (run === undefined) return false;
    if (this.move.kind === "resume") return run.isPaused;
    return !isShardMove(this.move) || shardsFor(this.move.kind, model, run).length > 0;
  }

  async run(model: Model, site: PlayedSite): Promise<void> {
    await this.#perform(model, site);
    model.last = await readSnapshot(site.store, runIds(model));
    checkInvariants(model.last);
    for (const run of model.runs) if (run !== undefined) await compare(model, run, site);
  }

  async #perform(model: Model, site: PlayedSite): Promise<void> {
    const { move } = this;
    if (move.kind === "submit") {
      const id = `run-${this.place}-${site.nowMs()}`;
      await site.submit(id);
      model.runs[this.place] = newRunModel(id);
      return;
    }
    const run = model.runs[this.place];
    if (run === undefined) return;
    if (!isShardMove(move)) return this.#performOnRun(move, model, run, site);
    const shards = shardsFor(move.kind, model, run);
    const shard = shards[this.pick % shards.length];
    if (shard !== undefined) await performOnShard(move, { model, run, shard, site });
  }

  async #performOnRun({ kind }: RunMove, model: Model, run: RunModel, site: PlayedSite): Promise<void> {
    const { engine } = site;
    const phases = Object.keys(PHASES);
    const phase = phases[this.pick % phases.length] ?? "";
    switch (kind) {
      case "submit":
        return;
      case "tend":
        return site.tend(run.id);
      case "sweep":
        return site.sweep(runIds(model));
      case "pause":
        if (await unlessRefused(engine.pause(run.id, "test"))) run.isPaused = true;
        return;
      case "resume":
        if (await unlessRefused(engine.resume(run.id, "test"))) run.isPaused = false;
        return;
      case "cancel":
        if (await unlessRefused(engine.cancel(run.id, "test"))) run.isCancelled = true;
        return;
      case "cancel_phase":
        await unlessRefused(engine.cancelPart(run.id, { phase }, "test"));
        return;
      case "retry_all":
        await unlessRefused(engine.retry(run.id, {}, "test"));
        return;
      case "retry_phase":
        await unlessRefused(engine.retry(run.id, { phase }, "test"));
    }
  }
}

function runIds(model: Model): string[] {
  return model.runs.flatMap((run) => (run === undefined ? [] : [run.id]));
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
