import { isRunOver, lastProblem, runProgressAt, summariseRun } from "@fanfold/core";
import type { RunEngine } from "@fanfold/engine";
import type { CompiledPlan, PhaseLedger, PhaseRecord, RunListItem, RunRecord } from "@fanfold/schemas";
import { BoundedMap } from "./bounded-map.ts";
import type { RunViews } from "./run-views.ts";

/** Items of ended runs that are kept: they change only when a run is re-opened. */
const KEPT_ITEMS = 2_000;
const MAX_TAGS = 20;

/** Makes the entries of run lists: of live runs from their journals, of the others from their records. */
export class RunListItems {
  readonly #engine: RunEngine;
  readonly #views: RunViews;
  readonly #kept = new BoundedMap<string, { readonly version: number; readonly item: RunListItem }>(KEPT_ITEMS);

  constructor(engine: RunEngine, views: RunViews) {
    this.#engine = engine;
    this.#views = views;
  }

  /** The entry of a run, or undefined when there is no such run any more. */
  async find(runId: string): Promise<RunListItem | undefined> {
    const run = await this.#engine.store.runs.find(runId);
    if (run === undefined) return undefined;
    const kept = this.#kept.get(runId);
    if (kept?.version === run.version && kept.item.created_at_ms === run.created_at_ms) return kept.item;
    if (!isRunOver(run.status)) return this.#views.hasRoomFor(runId) ? this.#ofLive(run) : this.#ofRecords(run);
    const item = await this.#ofRecords(run);
    this.#kept.set(runId, { version: run.version, item });
    return item;
  }

  async #ofLive(run: RunRecord): Promise<RunListItem> {
    const { view, plan } = await this.#views.see(run.run_id);
    const nowMs = Date.now();
    const [progress, { shards }] = [runProgressAt(view, nowMs), summariseRun(view, nowMs)];
    const { total, succeeded, failed, running } = shards;
    const waiting = Math.max(0, total - succeeded - failed - running - shards.cancelled);
    return {
      ...headOf(run, plan),
      is_paused: view.is_paused,
      shards: total === 0 ? null : { total, succeeded, failed, running, waiting },
      percent: progress.percent,
      eta_sec: progress.eta_sec,
      problem: lastProblem(view)?.why ?? null,
    };
  }

  /** Of a run that is over, and of one among more live runs than views are kept: then without an estimate. */
  async #ofRecords(run: RunRecord): Promise<RunListItem> {
    const { store } = this.#engine;
    await this.#engine.recall(run.run_id);
    const [{ plan }, counts, phases] = await Promise.all([
      this.#engine.plan(run.run_id),
      store.ledger.loadPhases(run.run_id),
      store.runs.loadPhases(run.run_id),
    ]);
    return {
      ...headOf(run, plan),
      is_paused: run.paused,
      shards: counts.size === 0 ? null : sumShards(counts.values()),
      percent: run.status === "succeeded" ? 100 : percentOf(plan, counts, phases),
      eta_sec: run.status === "succeeded" ? 0 : null,
      problem: run.status === "succeeded" ? null : problemOf(phases.values()),
    };
  }
}

function headOf(run: RunRecord, plan: CompiledPlan) {
  const { run_id, plan_id, plan_version, status, created_at_ms, started_at_ms, finished_at_ms } = run;
  const tags = tagsOf(plan);
  const submitted_by = run.submitted_by ?? null;
  const waiting_approvals = run.waiting_approvals ?? 0;
  return {
    submitted_by,
    waiting_approvals,
    run_id,
    plan_id,
    plan_version,
    status,
    created_at_ms,
    started_at_ms,
    finished_at_ms,
    tags,
  };
}

function tagsOf({ metadata, phases }: CompiledPlan): string[] {
  const declared = Array.isArray(metadata.tags) ? metadata.tags : [];
  const own = declared.filter((tag) => typeof tag === "string");
  return [...new Set([...own, ...phases.flatMap(({ tags }) => tags)])].slice(0, MAX_TAGS);
}

function sumShards(counts: Iterable<PhaseLedger>): NonNullable<RunListItem["shards"]> {
  const sums = { total: 0, succeeded: 0, failed: 0, running: 0, waiting: 0 };
  for (const { total, succeeded, failed, cancelled, in_flight } of counts) {
    sums.total += total;
    sums.succeeded += succeeded;
    sums.failed += failed;
    sums.running += in_flight;
    sums.waiting += Math.max(0, total - succeeded - failed - cancelled - in_flight);
  }
  return sums;
}

/** Mean of the phases that take part and were not skipped. */
function percentOf(
  plan: CompiledPlan,
  counts: ReadonlyMap<string, PhaseLedger>,
  phases: ReadonlyMap<string, PhaseRecord>,
): number | null {
  const taking = plan.phases.filter(({ id, takes_part }) => takes_part && phases.get(id)?.status !== "skipped");
  if (taking.length === 0) return null;
  const done = taking.map(({ id }) => {
    if (phases.get(id)?.status === "succeeded") return 1;
    const entry = counts.get(id);
    return entry === undefined || entry.total === 0 ? 0 : entry.succeeded / entry.total;
  });
  return Math.floor((done.reduce((sum, share) => sum + share, 0) / taking.length) * 10_000) / 100;
}

function problemOf(phases: Iterable<PhaseRecord>): string | null {
  for (const { status, cause } of phases) {
    if ((status === "failed" || status === "blocked") && cause !== undefined) return cause.message ?? cause.code;
  }
  return null;
}
