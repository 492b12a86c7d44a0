import type { PhaseLedger, PhaseRecord, RunRecord } from "@fanfold/schemas";
import { expect, test } from "vitest";
import type { KeyFacts, PoolFacts, ShardFacts, SlotHolderFacts, WhyFacts } from "../../src/view/admission-facts.ts";
import { explainWaits } from "../../src/view/why.ts";
import { type PhaseSketch, phaseOf, plannedOf, queuedRun } from "../run/run-fixture.ts";
import { PlanGraph } from "../../src/plan/plan-graph.ts";

const NOW = Date.UTC(2026, 0, 1);

const COUNTS: PhaseLedger = {
  revision: 1,
  total: 4,
  next: 2,
  in_flight: 2,
  held: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  excused: 0,
  unacked: 0,
  max_parallel: 0,
  window: 250,
  tolerated: 0,
  max_consecutive: 0,
  consecutive: 0,
  tripped: 0,
};

const POOL: PoolFacts = { workers: ["w1"], concurrency: null, rate: null, active: 2, held_back_ms: 0 };

interface Scene {
  readonly run?: Partial<RunRecord>;
  readonly sketches?: Readonly<Record<string, PhaseSketch>>;
  readonly maxConcurrency?: number;
  readonly key?: { readonly name: string; readonly limit: number };
  readonly records?: Readonly<Record<string, PhaseRecord>>;
  readonly counts?: Partial<PhaseLedger> | null;
  readonly keys?: Readonly<Record<string, KeyFacts>>;
  readonly locks?: Readonly<Record<string, string>>;
  readonly pool?: Partial<PoolFacts>;
  readonly others?: Readonly<Record<string, PoolFacts>>;
  readonly shards?: readonly ShardFacts[];
}

function holder(shard: number, run = "run"): SlotHolderFacts {
  return { run_id: run, phase: "a", shard, attempt: 1, worker: "w1", since_ms: NOW };
}

/** A run whose phase `a` runs two of four shards, and what a test changes of that. */
function factsOf(scene: Scene): WhyFacts {
  const sketched = plannedOf(scene.sketches ?? { a: {} });
  const phases = sketched.plan.phases.map((phase) =>
    phase.id === "a" ? { ...phase, concurrency_key: scene.key ?? null } : phase,
  );
  const plan = { ...sketched.plan, phases, max_concurrency: scene.maxConcurrency ?? null };
  return {
    now_ms: NOW,
    planned: { plan, graph: new PlanGraph(plan) },
    run: { ...queuedRun(), status: "running", ...scene.run },
    phases: new Map(Object.entries(scene.records ?? { a: { status: "running", revision: 0 } })),
    counts: new Map(scene.counts === null ? [] : [["a", { ...COUNTS, ...scene.counts }]]),
    holders: [holder(0), holder(1)],
    keys: new Map(Object.entries(scene.keys ?? {})),
    locks: new Map(Object.entries(scene.locks ?? {})),
    pools: new Map([["default", { ...POOL, ...scene.pool }], ...Object.entries(scene.others ?? {})]),
    shards: new Map([["a", scene.shards ?? []]]),
  };
}

function told(scene: Scene): string[] {
  return explainWaits(factsOf(scene)).map(({ phase, shards, code, why }) => {
    const place = shards === null ? phase : `${phase}[${shards.first.join(",")}]`;
    return `${place} ${code}: ${why}`;
  });
}

const failure = { error_code: "EXIT", why: "it exited with 1" };
const queued: readonly ShardFacts[] = [{ shard: 1, status: "released" }];
const all = { next: 4, total: 4 };
const key = { name: "api", limit: 1 };
const others = [holder(7, "run_2")];

test.each<[string, Scene, string]>([
  [
    "a run that no scheduler has taken",
    { run: { status: "queued" }, records: {}, counts: null },
    "a not_started: waits for a scheduler to start the run",
  ],
  [
    "phases before it",
    { sketches: { a: {}, b: { after: ["a"] } }, counts: all },
    "b waits_for_phase: waits for a (running)",
  ],
  [
    "a lock",
    { sketches: { a: { lock: "push" } }, counts: null, locks: { push: "b of run_2" } },
    "a waits_for_lock: waits for lock push, held by b of run_2",
  ],
  ["its cut", { counts: null }, "a opening: is being cut into shards"],
  ["a pause", { run: { paused: true } }, "a[2,3] paused: the run is paused"],
  ["a stop", { run: { stop: "abort" } }, "a[2,3] stopped: the run is stopped"],
  ["the run's cap", { maxConcurrency: 2 }, "a[2,3] run_cap: max_concurrency 2 of the run is full, held by a[0], a[1]"],
  ["the phase's cap", { counts: { max_parallel: 2 } }, "a[2,3] phase_cap: max_parallel 2 is full, held by a[0], a[1]"],
  [
    "a concurrency key",
    { key, keys: { api: { limit: 1, in_use: 1, holders: others, waiters: ["run"] } } },
    "a[2,3] key_cap: concurrency key api (1) is full, held by a[7] of run_2",
  ],
  [
    "its place in line for a concurrency key",
    { key, keys: { api: { limit: 2, in_use: 1, holders: others, waiters: ["run_3", "run"] } } },
    "a[2,3] key_cap: run_3 comes first for concurrency key api",
  ],
  [
    "what is on the queue already",
    { counts: { window: 2 } },
    "a[2,3] window: 2 shards of the phase are queued or run already",
  ],
  ["nothing", {}, "a[2,3] ready: is about to be put on its queue"],
  [
    "failures in a row",
    { counts: { tripped: 1, max_consecutive: 3 } },
    "a[2,3] circuit_open: 3 shards failed in a row",
  ],
  [
    "workers of its pool, when there are none",
    { counts: all, shards: queued, pool: { workers: [] }, others: { gpu: POOL } },
    "a[1] no_worker: no worker serves pool default; pools with workers: gpu",
  ],
  [
    "busy workers",
    { counts: all, shards: queued },
    "a[1] workers_busy: is queued: the workers of pool default (1) are at other shards",
  ],
  [
    "the pool's concurrency",
    { counts: all, shards: queued, pool: { concurrency: 2 } },
    "a[1] pool_cap: pool default runs as many as it may: 2",
  ],
  [
    "the pool's rate",
    { counts: all, shards: queued, pool: { rate: { max: 10, duration_ms: 1000 }, held_back_ms: 300 } },
    "a[1] pool_cap: pool default has had its 10 in 1.0 s; next in 300 ms",
  ],
  [
    "its backoff",
    { counts: all, shards: [{ shard: 1, status: "backoff", until_ms: NOW + 5000, failure }] },
    "a[1] backoff: waits 5.0 s more, until 2026-01-01T00:00:05.000Z, after: it exited with 1",
  ],
  [
    "a slot after its backoff",
    { counts: { ...all, max_parallel: 2 }, shards: [{ shard: 1, status: "waiting" }] },
    "a[1] phase_cap: max_parallel 2 is full, held by a[0], a[1]",
  ],
  [
    "what it spawned",
    { counts: { ...all, held: 1 }, shards: [{ shard: 1, status: "spawned" }] },
    "a[1] waits_for_spawned: waits for what it spawned",
  ],
  [
    "its failure",
    { counts: all, shards: [{ shard: 1, status: "failed", failure }] },
    "a[1] failed: failed: it exited with 1",
  ],
  ["its cancellation", { counts: all, shards: [{ shard: 1, status: "cancelled" }] }, "a[1] cancelled: was cancelled"],
  ["the merge", { counts: { ...all, in_flight: 0, succeeded: 4 } }, "a merging: is being merged"],
  [
    "a missing output",
    {
      records: {
        a: { status: "blocked", revision: 0, cause: { code: "missing_dependency", phase: "z", message: "needs z" } },
      },
    },
    "a blocked: is blocked: needs z",
  ],
  [
    "why it was skipped",
    { records: { a: { status: "skipped", revision: 0, cause: { code: "dependency_failed", phase: "z" } } } },
    "a skipped: was skipped because z failed",
  ],
  [
    "why it was cancelled",
    { records: { a: { status: "cancelled", revision: 0, cause: { code: "cancel_requested" } } } },
    "a cancelled: was cancelled because cancellation was requested",
  ],
  [
    "why it failed",
    { records: { a: { status: "failed", revision: 0, cause: { code: "shards_failed", message: "1 of 4" } } } },
    "a failed: failed: 1 of 4",
  ],
])("tells of %s", (_name, scene, expected) => {
  expect(told(scene)).toEqual([expected]);
});

test("leaves out what runs and what has succeeded, unless it is asked about", () => {
  const facts = factsOf({ counts: all });
  expect(explainWaits(facts)).toEqual([]);
  expect(explainWaits(facts, { phase: "a" })).toMatchObject([{ code: "running" }]);
  expect(explainWaits(facts, { phase: "a", shard: 1 })).toMatchObject([{ code: "running", why: "runs on w1" }]);
  expect(explainWaits(facts, { phase: "a", shard: 2 })).toMatchObject([{ code: "succeeded" }]);
});

test("tells of one shard only what concerns it", () => {
  const facts = factsOf({ counts: { max_parallel: 2, next: 3 }, shards: [{ shard: 2, status: "failed", failure }] });
  expect(explainWaits(facts, { phase: "a", shard: 2 })).toMatchObject([{ code: "failed" }]);
  expect(explainWaits(facts, { phase: "a", shard: 3 })).toMatchObject([{ code: "phase_cap" }]);
  expect(explainWaits(facts)).toMatchObject([
    { code: "failed", shards: { count: 1, first: [2] } },
    { code: "phase_cap", shards: { count: 1, first: [3] } },
  ]);
});

test("names the first shards of many", () => {
  const [reason] = explainWaits(factsOf({ counts: { total: 10_000, max_parallel: 2 } }));
  expect(reason?.shards).toEqual({ count: 9_998, first: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11] });
});

test("refuses a phase that the run has not", () => {
  expect(() => explainWaits(factsOf({}), { phase: phaseOf("z", {}).id })).toThrow(/z is not in this plan/);
});

test("tells of a person, and of what waits for their answer", () => {
  const records: Readonly<Record<string, PhaseRecord>> = {
    a: { status: "running", revision: 0, asked: { at_ms: NOW } },
  };
  expect(told({ sketches: { a: { approval: "Ship it?" }, b: { after: ["a"] } }, records, counts: null })).toEqual([
    "a waits_for_approval: waits for an approval (Ship it?); to give it: fanfold approve run a",
    "b waits_for_phase: waits for a (waits for an approval)",
  ]);
});
