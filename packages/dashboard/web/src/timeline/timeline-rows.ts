import { phaseTitle } from "../format/phase-title.ts";
import type { Segment, TimelineModel } from "./timeline-model.ts";

/** A row of the timeline. */
export interface TimelineRow {
  readonly id: string;
  readonly title: string;
  readonly level: 0 | 1;
  readonly phase: string | null;
  readonly shard: number | null;
  readonly segments: readonly Segment[];
}

/** One row a phase, and below the chosen one a row for each of its shards. */
export function phaseRows(model: TimelineModel, phases: readonly string[], chosen: string | null): TimelineRow[] {
  return phases.flatMap((phase) => {
    const row: TimelineRow = {
      id: phase,
      title: phaseTitle(phase),
      level: 0,
      phase,
      shard: null,
      segments: model.phases.get(phase) ?? [],
    };
    return phase === chosen ? [row, ...shardRows(model, phase)] : [row];
  });
}

function shardRows(model: TimelineModel, phase: string): TimelineRow[] {
  const shards = [...(model.shards.get(phase)?.keys() ?? [])].sort((a, b) => a - b);
  return shards.map((shard) => ({
    id: `${phase} ${shard}`,
    title: `[${shard}]`,
    level: 1,
    phase,
    shard,
    segments: model.shardSegments(phase, shard),
  }));
}

/** For each worker as many rows as it ran attempts at once. */
export function workerRows(model: TimelineModel): TimelineRow[] {
  return [...model.workers]
    .sort(([a], [b]) => a.localeCompare(b))
    .flatMap(([worker, segments]) =>
      packLanes(segments).map((lane, index) => ({
        id: `${worker} ${index}`,
        title: index === 0 ? worker : "",
        level: 0 as const,
        phase: null,
        shard: null,
        segments: lane,
      })),
    );
}

/** Distributes segments, given by start, over as few lanes as keep them from overlapping. */
function packLanes(segments: readonly Segment[]): Segment[][] {
  const lanes: Segment[][] = [];
  for (const segment of segments) {
    const free = lanes.find((lane) => (lane.at(-1)?.endMs ?? Number.POSITIVE_INFINITY) <= segment.startMs);
    if (free === undefined) lanes.push([segment]);
    else free.push(segment);
  }
  return lanes;
}

/** A segment in pixels. */
export interface Bar {
  readonly segment: Segment;
  readonly x: number;
  readonly width: number;
}

/** The time that is in sight, Unix ms. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

const MIN_BAR_PX = 1.5;

/**
 * Segments as bars within a width. Bars that would lie upon each other are drawn once, so a row has at most about
 * as many bars as pixels.
 */
export function barsOf(segments: readonly Segment[], window: TimeWindow, widthPx: number, nowMs: number): Bar[] {
  const scale = widthPx / Math.max(1, window.toMs - window.fromMs);
  const bars: Bar[] = [];
  for (const segment of segments) {
    const endMs = segment.endMs ?? nowMs;
    if (endMs < window.fromMs || segment.startMs > window.toMs) continue;
    const x = Math.max(0, (segment.startMs - window.fromMs) * scale);
    const width = Math.max(MIN_BAR_PX, Math.min(widthPx, (endMs - window.fromMs) * scale) - x);
    if (width <= MIN_BAR_PX && isCovered(x, segment, bars.at(-1))) continue;
    bars.push({ segment, x, width });
  }
  return bars;
}

/** Whether a narrow bar would hardly show beside the one before it. A failure hides behind nothing but another. */
function isCovered(x: number, { kind }: Segment, before: Bar | undefined): boolean {
  if (before === undefined || (kind === "failed" && before.segment.kind !== "failed")) return false;
  return x < before.x + Math.max(1, before.width - MIN_BAR_PX / 3);
}

const STEPS_MS = [
  10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
  3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];

/** Round times since the run's start that lie in the window, few enough to be read. */
export function ticksOf(window: TimeWindow, startMs: number, widthPx: number): readonly number[] {
  const spanMs = window.toMs - window.fromMs;
  const most = Math.max(2, widthPx / 110);
  const stepMs = STEPS_MS.find((step) => spanMs / step <= most) ?? 86_400_000;
  const first = Math.ceil((window.fromMs - startMs) / stepMs);
  const ticks: number[] = [];
  for (let at = first; startMs + at * stepMs <= window.toMs && ticks.length < 100; at += 1)
    ticks.push(startMs + at * stepMs);
  return ticks;
}
