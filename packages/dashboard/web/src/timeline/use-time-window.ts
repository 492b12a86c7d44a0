import { useState } from "react";
import type { TimeWindow } from "./timeline-rows.ts";

/** The part of the run's time that is in sight. */
export interface TimeZoom {
  readonly window: TimeWindow;
  readonly isZoomed: boolean;
  /** Shows more (above 1) or less (below 1) time around the middle. */
  readonly scale: (factor: number) => void;
  /** Moves by a share of what is in sight. */
  readonly move: (share: number) => void;
  readonly reset: () => void;
}

const MIN_SPAN_MS = 50;

/** Sight of a time: all of it, growing with it, until somebody zooms. */
export function useTimeWindow(whole: TimeWindow): TimeZoom {
  const [chosen, setChosen] = useState<TimeWindow>();
  const window = chosen ?? whole;
  const span = window.toMs - window.fromMs;
  const set = (fromMs: number, toMs: number): void => {
    const isAll = fromMs <= whole.fromMs && toMs >= whole.toMs;
    setChosen(isAll ? undefined : { fromMs: Math.max(fromMs, whole.fromMs), toMs: Math.min(toMs, whole.toMs) });
  };
  return {
    window,
    isZoomed: chosen !== undefined,
    scale: (factor) => {
      const middle = (window.fromMs + window.toMs) / 2;
      const half = Math.max(MIN_SPAN_MS, span * factor) / 2;
      set(middle - half, middle + half);
    },
    move: (share) => {
      const by = Math.max(whole.fromMs - window.fromMs, Math.min(whole.toMs - window.toMs, span * share));
      set(window.fromMs + by, window.toMs + by);
    },
    reset: () => setChosen(undefined),
  };
}
