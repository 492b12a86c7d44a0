import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NewsGate } from "../../src/live/news-gate.ts";

describe("news gate", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("passes news on at once after a quiet time", () => {
    const tell = vi.fn<() => void>();
    const gate = new NewsGate(tell, () => 25);
    gate.note();
    vi.advanceTimersByTime(0);
    expect(tell).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(25);
    gate.note();
    vi.advanceTimersByTime(0);
    expect(tell).toHaveBeenCalledTimes(2);
  });

  it("tells of a burst together, and of its last part no later than the time it holds back", () => {
    const tell = vi.fn<() => void>();
    const gate = new NewsGate(tell, () => 25);
    for (let i = 0; i < 10; i += 1) gate.note();
    vi.advanceTimersByTime(0);
    expect(tell).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 10; i += 1) gate.note();
    vi.advanceTimersByTime(24);
    expect(tell).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(tell).toHaveBeenCalledTimes(2);
  });

  it("passes on at most once in that time while news keep coming", () => {
    const tell = vi.fn<() => void>();
    const gate = new NewsGate(tell, () => 25);
    for (let ms = 0; ms < 250; ms += 1) {
      gate.note();
      vi.advanceTimersByTime(1);
    }
    expect(tell.mock.calls.length).toBeGreaterThanOrEqual(9);
    expect(tell.mock.calls.length).toBeLessThanOrEqual(11);
  });

  it("asks how long to hold back before it tells: then those who wait are still there to be counted", () => {
    const calls: string[] = [];
    const gate = new NewsGate(
      () => void calls.push("tell"),
      () => calls.push("hold"),
    );
    gate.note();
    vi.advanceTimersByTime(0);
    expect(calls).toEqual(["hold", "tell"]);
  });

  it("is quiet when there is nothing new", () => {
    const tell = vi.fn<() => void>();
    const gate = new NewsGate(tell, () => 25);
    gate.note();
    vi.advanceTimersByTime(1_000);
    expect(tell).toHaveBeenCalledTimes(1);
  });
});
