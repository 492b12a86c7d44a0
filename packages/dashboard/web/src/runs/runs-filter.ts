import type { RunListItem } from "@fanfold/schemas";
import type { Query } from "../api/client.ts";

/** What the list of runs is narrowed to; kept in the address. */
export interface RunsFilter {
  readonly status: readonly string[];
  readonly plan: string;
  readonly tag: string;
  readonly text: string;
  /** Name of a time in {@link TIMES}. */
  readonly time: string;
}

/** How far back the list may go, in ms. */
export const TIMES: Readonly<Record<string, number>> = {
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
};

/** Statuses a run can have, and `asking`: it waits for a person. */
export const RUN_STATUSES = ["queued", "running", "asking", "succeeded", "failed", "cancelled"] as const;

/** Reads the filter from the query of the page's address. */
export function readFilter(search: URLSearchParams): RunsFilter {
  const status = (search.get("status") ?? "").split(",").filter((name) => RUN_STATUSES.some((known) => known === name));
  const read = (name: string): string => search.get(name) ?? "";
  return { status, plan: read("plan"), tag: read("tag"), text: read("q"), time: read("time") };
}

/** The filter as the API takes it. */
export function filterQuery(filter: RunsFilter, nowMs: number): Query {
  const span = TIMES[filter.time];
  // whole minutes, so that the same filter has the same address for a while
  const sinceMs = span === undefined ? null : Math.floor((nowMs - span) / 60_000) * 60_000;
  const { plan, tag, text } = filter;
  return { status: filter.status.join(","), plan, tag, q: text, since_ms: sinceMs };
}

/** Whether anything is left out. */
export function isNarrowed({ status, plan, tag, text, time }: RunsFilter): boolean {
  return status.length > 0 || plan !== "" || tag !== "" || text !== "" || time !== "";
}

/** Whether a run that changed belongs into the list, as far as the page can tell by itself. */
export function isInFilter(run: RunListItem, filter: RunsFilter, nowMs: number): boolean {
  const { status, plan, tag, text } = filter;
  const span = TIMES[filter.time];
  if (span !== undefined && run.created_at_ms < nowMs - span) return false;
  const isAsked = run.waiting_approvals > 0 && status.includes("asking");
  if (status.length > 0 && !status.includes(run.status) && !isAsked) return false;
  if (plan !== "" && run.plan_id !== plan) return false;
  if (tag !== "" && !run.tags.includes(tag)) return false;
  const words = [run.run_id, run.plan_id, ...run.tags, run.problem ?? ""].join(" ").toLowerCase();
  return text === "" || words.includes(text.toLowerCase());
}

/** The list with a changed run in its place, newest first. A run that left the filter is taken out. */
export function mergeRun(runs: readonly RunListItem[], run: RunListItem, isShown: boolean): readonly RunListItem[] {
  const at = runs.findIndex(({ run_id: runId }) => runId === run.run_id);
  if (!isShown) return at === -1 ? runs : runs.toSpliced(at, 1);
  if (at !== -1) return runs.with(at, run);
  const next = runs.findIndex(({ created_at_ms: createdMs }) => createdMs < run.created_at_ms);
  return next === -1 && runs.length > 0 ? [...runs, run] : runs.toSpliced(Math.max(0, next), 0, run);
}
