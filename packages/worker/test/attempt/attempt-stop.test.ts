import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AttemptStop } from "../../src/attempt/attempt-stop.ts";

const DAY_MS = 24 * 3600 * 1000;
const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a deadline further away than one timer can hold is kept exactly", () => {
  const stop = new AttemptStop(30 * DAY_MS, never);
  vi.advanceTimersByTime(30 * DAY_MS - 1);
  expect(stop.status).toBeNull();
  vi.advanceTimersByTime(1);
  expect(stop.status).toBe("timed_out");
  expect(stop.signal.aborted).toBe(true);
});

test("what comes first decides", async () => {
  const caller = new AbortController();
  const stop = new AttemptStop(1000, caller.signal);
  caller.abort();
  vi.advanceTimersByTime(2000);
  await stop.stopped;
  expect(stop.status).toBe("cancelled");
  expect(stop.error("it was late").toFailure(String)).toEqual({
    error_code: "CANCELLED",
    why: "cancelled; it was late",
  });
});

test("nothing happens after dispose, and no timer is left", () => {
  const caller = new AbortController();
  const stop = new AttemptStop(1000, caller.signal);
  stop.dispose();
  caller.abort();
  vi.advanceTimersByTime(2000);
  expect(stop.status).toBeNull();
  expect(vi.getTimerCount()).toBe(0);
});
