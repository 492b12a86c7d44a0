import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlanInput, RunRecord } from "@fanfold/schemas";
import { readContent } from "@fanfold/store";
import { contentOf } from "@fanfold/engine";
import { Deployment, eventually, startRedis, type TestRedis } from "@fanfold/testkit";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Expected, expectedOf } from "./reuse-model/expected.ts";
import {
  type Draft,
  handlerFile,
  handlerText,
  type ListEdit,
  listEdits,
  lists,
  phasesOf,
  type Settings,
  settingEdits,
  settings,
} from "./reuse-model/sequence.ts";

/** Sequences of edits that are tried. */
const SEQUENCES = Number(process.env["FANFOLD_TEST_EDITS"] ?? 500);
/** Sequences that are lists of records of one plan; with 1 each has a plan of its own. */
const IN_ONE_PLAN = Number(process.env["FANFOLD_TEST_EDITS_IN_ONE_PLAN"] ?? 40);
/** Plans that are run side by side, as phases of one run. */
const SIDE_BY_SIDE = Math.ceil(100 / (IN_ONE_PLAN + 9));
const EDITS_EACH = 3;
const SEED = Number(process.env["FANFOLD_TEST_SEED"] ?? 20_261_121);

declare global {
  var fanfoldExecuted: string[];
}

let redis: TestRedis | undefined;
let deployment: Deployment | undefined;

beforeAll(async () => {
  globalThis.fanfoldExecuted = [];
  redis = await startRedis();
  deployment = await Deployment.start(redis, { concurrency: 8 });
});

afterAll(async () => {
  await deployment?.stop();
  await redis?.stop();
});

/** A plan that is being played: where it stands, what comes next, and all inputs that a shard of it ever had. */
interface Played {
  readonly name: string;
  draft: Draft;
  readonly edits: readonly { readonly lists: readonly ListEdit[]; readonly settings: Partial<Settings> }[];
  readonly known: Set<string>;
}

function arbitraryPlan(name: string): fc.Arbitrary<Played> {
  const size = { minLength: IN_ONE_PLAN, maxLength: IN_ONE_PLAN };
  const edit = fc.record({ lists: fc.array(listEdits, size), settings: settingEdits });
  return fc.record({
    name: fc.constant(name),
    draft: fc.record({ lists: fc.array(lists, size), settings }),
    edits: fc.array(edit, { minLength: EDITS_EACH, maxLength: EDITS_EACH }),
    known: fc.constant(null).map(() => new Set<string>()),
  });
}

function edited({ draft, edits }: Played, step: number): Draft {
  const edit = edits[step];
  if (edit === undefined) return draft;
  return {
    lists: draft.lists.map((items, i) => edit.lists[i]?.(items) ?? items),
    settings: { ...draft.settings, ...edit.settings },
  };
}

/** Runs where the plans stand. @returns the outputs, and the shards that were executed by the handlers' own account */
async function runAll(
  site: Deployment,
  plans: readonly Played[],
  noCache: boolean,
): Promise<{ outputs: Map<string, string>; executed: string[] }> {
  for (const { name, draft } of plans) await writeFile(join(site.dir, handlerFile(name)), handlerText(draft));
  const phases = plans.flatMap(({ name, draft }) => phasesOf(name, draft));
  const plan: PlanInput = { plan_id: "edits", version: "1", phases };
  const before = globalThis.fanfoldExecuted.length;
  const run = await endOf(site, await site.submit(plan, undefined, { noCache }));
  if (run.status !== "succeeded") throw new Error(await site.story(run.run_id));
  const executed = globalThis.fanfoldExecuted.slice(before).map((line) => line.replace(`${run.run_id} `, ""));
  const outputs = new Map<string, string>();
  for (const [id, { artifacts }] of await site.store.runs.loadPhases(run.run_id)) {
    const [artifact] = artifacts ?? [];
    if (artifact === undefined) continue;
    outputs.set(id, Buffer.from(await readContent(site.store.artifacts, contentOf(artifact))).toString());
  }
  return { outputs, executed };
}

/** Waits for the end of a run; unlike `ended` of the deployment it does not read the journal meanwhile. */
function endOf({ store }: Deployment, runId: string): Promise<RunRecord> {
  return eventually(
    async () => {
      const run = await store.runs.get(runId);
      if (run.finished_at_ms === null) throw new Error(`run ${runId} is ${run.status}`);
      return run;
    },
    { timeoutMs: 60_000 },
  );
}

function outputsOf(expected: readonly Expected[]): Record<string, string> {
  return Object.fromEntries(expected.flatMap(({ outputs }) => [...outputs]));
}

async function play(site: Deployment, plans: readonly Played[]): Promise<void> {
  for (let step = 0; step <= EDITS_EACH; step += 1) {
    const expected = plans.map(({ name, draft }) => expectedOf(name, draft));
    const { outputs, executed } = await runAll(site, plans, false);
    expect(Object.fromEntries(outputs)).toEqual(outputsOf(expected));
    const mustRun = plans.flatMap(({ known }, i) =>
      (expected[i]?.shards ?? []).filter(({ inputs }) => !known.has(inputs)).map(({ place }) => place),
    );
    expect(executed.sort()).toEqual(mustRun.sort());
    for (const [i, played] of plans.entries()) {
      for (const { inputs } of expected[i]?.shards ?? []) played.known.add(inputs);
      if (step < EDITS_EACH) played.draft = edited(played, step);
    }
    if (step < EDITS_EACH) continue;
    const cold = await runAll(site, plans, true);
    expect(cold.executed).toHaveLength(expected.flatMap(({ shards }) => shards).length);
    expect(Object.fromEntries(cold.outputs)).toEqual(Object.fromEntries(outputs));
  }
}

test(`${SEQUENCES} sequences of edits give what cold runs give, and run only what they must`, {
  timeout: 3_600_000,
}, async () => {
  const site = deployment;
  if (site === undefined) throw new Error("there is no deployment");
  const count = Math.ceil(SEQUENCES / IN_ONE_PLAN);
  for (let from = 0; from < count; from += SIDE_BY_SIDE) {
    const names = Array.from({ length: Math.min(SIDE_BY_SIDE, count - from) }, (_, i) => `p${from + i}`);
    const plans = names.flatMap((name, i) => fc.sample(arbitraryPlan(name), { numRuns: 1, seed: SEED + from + i }));
    await play(site, plans);
  }
});
