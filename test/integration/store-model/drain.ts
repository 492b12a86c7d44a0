import { isRunOver } from "@fanfold/core";
import { expect } from "vitest";
import type { Model } from "./model.ts";
import type { PlayedSite } from "./played-site.ts";
import { SHARD_IDS } from "./plan.ts";
import { Step } from "./step.ts";

/** Rounds after which a run that has not ended hangs. */
const ROUNDS = 60;

/** Lets all go on and end well, and checks that nothing is left. */
export async function drain(model: Model, site: PlayedSite): Promise<void> {
  for (let round = 0; round < ROUNDS && !isAtRest(model); round += 1) {
    for (const place of model.runs.keys()) {
      await perform(model, site, new Step({ kind: "resume" }, place, 0));
      for (const pick of SHARD_IDS.keys()) await perform(model, site, new Step({ kind: "start" }, place, pick));
      const finish = new Step({ kind: "finish", ending: "succeeded", dies: false, goesOn: true }, place, 0);
      while (await perform(model, site, finish));
      await perform(model, site, new Step({ kind: "tend" }, place, 0));
    }
    await perform(model, site, new Step({ kind: "sweep" }, 0, 0));
  }
  for (const [runId, { record, phases, claimed, counts }] of model.last.runs) {
    const states = [...phases].map(([phase, { status }]) => `${phase} ${status}`).join(", ");
    const ledger = JSON.stringify([...counts.values()]);
    expect(isRunOver(record.status), `${runId} hangs: ${record.status}: ${states}; ${ledger}`).toBe(true);
    expect(claimed, `${runId}: claims`).toEqual([]);
  }
  expect(model.last.semaphores).toEqual([]);
  expect(await site.store.runs.listLive()).toEqual([]);
}

/** @returns whether the step was possible */
async function perform(model: Model, site: PlayedSite, step: Step): Promise<boolean> {
  if (!step.check(model)) return false;
  await step.run(model, site);
  return true;
}

/** Every run is over, and no job of it is still to come. */
function isAtRest(model: Model): boolean {
  const isOver = [...model.last.runs.values()].every(({ record }) => isRunOver(record.status));
  return isOver && model.runs.every((run) => run?.shards.every(({ isStalled, isOwed }) => !isStalled && !isOwed));
}
