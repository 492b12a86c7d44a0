import { isRunOver } from "@fanfold/core";
import { expect } from "vitest";
import type { Model } from "./model.ts";
import type { PlayedSite } from "./played-site.ts";
import { type Move, Step } from "./step.ts";

/** Rounds after which a run that has not ended hangs. */
const ROUNDS = 60;

/** Lets all go on and end well, and checks that nothing is left. */
export async function drain(model: Model, site: PlayedSite): Promise<void> {
  for (let round = 0; round < ROUNDS && !isAtRest(model); round += 1) {
    for (const place of model.runs.keys()) {
      await perform(model, site, { kind: "resume" }, place);
      while (await perform(model, site, { kind: "start" }, place));
      while (await perform(model, site, { kind: "finish", ending: "succeeded", dies: false }, place));
      await perform(model, site, { kind: "tend" }, place);
    }
    await perform(model, site, { kind: "sweep" }, 0);
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

async function perform(model: Model, site: PlayedSite, move: Move, place: number): Promise<boolean> {
  const step = new Step(move, place, 0);
  if (!step.check(model)) return false;
  const before = model.last;
  await step.run(model, site);
  return (
    JSON.stringify([...before.runs.values()].map(({ seq }) => seq)) !==
    JSON.stringify([...model.last.runs.values()].map(({ seq }) => seq))
  );
}

function isAtRest(model: Model): boolean {
  return [...model.last.runs.values()].every(({ record }) => isRunOver(record.status));
}
