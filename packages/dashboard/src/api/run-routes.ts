import { isApproval, runDocument } from "@fanfold/core";
import {
  EventPageSchema,
  EventQuerySchema,
  type EventQuery,
  type JournalLine,
  type RunDetail,
  RunDetailSchema,
  type RunList,
  type RunListItem,
  RunListSchema,
  RunParamsSchema,
  type RunQuery,
  RunQuerySchema,
  type CompiledPlan,
  CompiledPlanSchema,
} from "@fanfold/schemas";
import type { RunPosition } from "@fanfold/store";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, jsonRoute } from "./api-route.ts";

/** Open shards of a phase in a run's document; the shard table has all of them. */
const SHOWN_OPEN_SHARDS = 200;
/** Runs looked at for one page of a filtered list; then the page is short and the cursor goes on. */
const SEARCHED_RUNS = 2_000;
/** Positions read, and runs looked at, in one step. */
const STEP = 50;
/** Journal lines looked at for one page of filtered events; then the page is short and goes on. */
const SEARCHED_LINES = 50_000;

/** Routes that look at runs as a whole. */
export function runRoutes(parts: ApiParts): ApiRoute[] {
  const { engine } = parts;
  return [
    jsonRoute({
      path: "/runs",
      summary: "Runs, newest first",
      query: RunQuerySchema,
      answer: RunListSchema,
      handle: ({ query }) => listRuns(parts, query),
    }),
    jsonRoute({
      path: "/runs/:run",
      summary: "A run with its phases and their edges",
      params: RunParamsSchema,
      answer: RunDetailSchema,
      handle: ({ params }) => readRun(parts, params.run),
    }),
    jsonRoute({
      path: "/runs/:run/plan",
      summary: "The plan of a run, compiled",
      params: RunParamsSchema,
      answer: CompiledPlanSchema,
      handle: async ({ params }) => {
        // a rerun may have given the run another plan since it was looked at last
        await engine.recall(params.run);
        return (await engine.plan(params.run)).plan;
      },
    }),
    jsonRoute({
      path: "/runs/:run/events",
      summary: "Lines of a run's journal",
      params: RunParamsSchema,
      query: EventQuerySchema,
      answer: EventPageSchema,
      handle: async ({ params, query }) => {
        await engine.store.runs.get(params.run);
        return readEvents(parts, params.run, query);
      },
    }),
  ];
}

async function readRun({ views }: ApiParts, runId: string): Promise<RunDetail> {
  const { view, plan } = await views.see(runId);
  const document = runDocument(view, view.finished_at_ms ?? Date.now());
  const edges = plan.phases.flatMap(({ id, depends_on }) =>
    depends_on.map(({ phase, kind, when }) => ({ from: phase, to: id, kind, when })),
  );
  const phases = document.phases.map((phase) => ({
    ...phase,
    depends_on: [...phase.depends_on],
    artifacts: phase.artifacts.map((artifact) => ({ ...artifact })),
    open_shards: phase.open_shards.slice(0, SHOWN_OPEN_SHARDS).map((shard) => ({ ...shard })),
  }));
  const approvals = plan.phases.filter(isApproval).map(({ id }) => id);
  return { ...document, phases, edges, spawned: spawnedPhases(plan), approvals, last_seq: view.last_seq };
}

function spawnedPhases({ phases }: CompiledPlan): RunDetail["spawned"] {
  return phases.flatMap(({ id, spawned: by }) => {
    if (by === undefined) return [];
    const { phase, shard, attempt, key, reason = null } = by;
    return [{ phase: id, by_phase: phase, by_shard: shard, by_attempt: attempt, key, reason }];
  });
}

async function listRuns({ engine, items }: ApiParts, query: RunQuery): Promise<RunList> {
  const runs: RunListItem[] = [];
  let after = query.cursor === undefined ? undefined : readCursor(query.cursor);
  for (let searched = 0; searched < SEARCHED_RUNS; searched += STEP) {
    const page = await engine.store.index.page({
      after,
      sinceMs: query.since_ms,
      untilMs: query.until_ms,
      limit: STEP,
    });
    const found = await Promise.all(page.map(({ runId }) => items.find(runId)));
    for (const [i, item] of found.entries()) {
      after = page[i];
      if (item !== undefined && fits(item, query)) runs.push(item);
      if (runs.length === query.limit) return { runs, next_cursor: await cursorAfter(after) };
    }
    if (page.length < STEP) return { runs, next_cursor: null };
  }
  return { runs, next_cursor: after === undefined ? null : writeCursor(after) };

  async function cursorAfter(position: RunPosition | undefined): Promise<string | null> {
    const more = await engine.store.index.page({ after: position, sinceMs: query.since_ms, limit: 1 });
    return position === undefined || more.length === 0 ? null : writeCursor(position);
  }
}

function fits(item: RunListItem, { status, plan, tag, q }: RunQuery): boolean {
  if (status !== undefined && !isIn(item, status)) return false;
  if (plan !== undefined && item.plan_id !== plan) return false;
  if (tag !== undefined && !item.tags.includes(tag)) return false;
  const text = q?.trim().toLowerCase() ?? "";
  if (text === "") return true;
  return [item.run_id, item.plan_id, item.plan_version, ...item.tags, item.problem ?? ""].some((word) =>
    word.toLowerCase().includes(text),
  );
}

function isIn({ status, is_paused, waiting_approvals }: RunListItem, wanted: NonNullable<RunQuery["status"]>): boolean {
  if (wanted.includes(status)) return true;
  return (is_paused && wanted.includes("paused")) || (waiting_approvals > 0 && wanted.includes("asking"));
}

function writeCursor({ runId, createdAtMs }: RunPosition): string {
  return `${createdAtMs}_${runId}`;
}

function readCursor(cursor: string): RunPosition {
  const [, createdAtMs, runId] = /^(\d{1,15})_(.+)$/.exec(cursor) ?? [];
  if (createdAtMs === undefined || runId === undefined) {
    throw new ApiFailure("INVALID_REQUEST", "query cursor: not one that a list of runs gave");
  }
  return { runId, createdAtMs: Number(createdAtMs) };
}

async function readEvents(
  { engine }: ApiParts,
  runId: string,
  { after, limit, phase, shard }: EventQuery,
): Promise<{ events: JournalLine[]; last_seq: number }> {
  const events: JournalLine[] = [];
  let last = after;
  for (let searched = 0; searched < SEARCHED_LINES && events.length < limit; ) {
    const lines = await engine.store.journal.read(runId, last, limit);
    for (const line of lines) {
      if (events.length === limit) break;
      last = line.seq;
      searched += 1;
      if ((phase ?? line.phase) === line.phase && (shard ?? line.shard) === line.shard) events.push(line);
    }
    if (lines.length < limit) break;
  }
  return { events, last_seq: last };
}
