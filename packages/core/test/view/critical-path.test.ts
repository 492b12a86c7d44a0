import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findCriticalPath, type TimedPhase } from "../../src/view/critical-path.ts";

function phase(name: string, duration_ms: number | null, ...depends_on: string[]): TimedPhase {
  return { phase: name, duration_ms, depends_on };
}

test("takes the chain whose phases took longest together, not the one with the longest phase", () => {
  const phases = [phase("a", 5), phase("b", 5, "a"), phase("c", 5, "b"), phase("d", 12), phase("e", 1, "c", "d")];
  expect(findCriticalPath(phases)).toEqual({ duration_ms: 16, phases: ["a", "b", "c", "e"] });
});

test("takes the chain declared first where two are as long", () => {
  expect(findCriticalPath([phase("a", 5), phase("b", 5)]).phases).toEqual(["a"]);
});

test("goes through phases that never started without naming them", () => {
  const phases = [phase("a", 5), phase("skipped", null, "a"), phase("b", 7, "skipped"), phase("c", 6)];
  expect(findCriticalPath(phases)).toEqual({ duration_ms: 12, phases: ["a", "b"] });
});

test("is empty where nothing started", () => {
  expect(findCriticalPath([])).toEqual({ duration_ms: 0, phases: [] });
  expect(findCriticalPath([phase("a", null)])).toEqual({ duration_ms: 0, phases: [] });
});

test("does not wait for a source it does not know, or one that is named twice", () => {
  expect(findCriticalPath([phase("a", 5, "gone"), phase("b", 1, "a", "a")]).phases).toEqual(["a", "b"]);
});

test("leaves out a cycle", () => {
  expect(findCriticalPath([phase("a", 5, "b"), phase("b", 5, "a"), phase("c", 1)]).phases).toEqual(["c"]);
});

test("copes with a chain of twenty thousand phases", () => {
  const phases = Array.from({ length: 20_000 }, (_, index) => phase(`p${index}`, 1, `p${index - 1}`)).toReversed();
  expect(findCriticalPath(phases).duration_ms).toBe(20_000);
});

/** The longest chain that ends with a phase, by trying them all. */
function longestTo(phases: readonly TimedPhase[], { depends_on, duration_ms: durationMs }: TimedPhase): number {
  const sources = phases.filter(({ phase: name }) => depends_on.includes(name));
  return (durationMs ?? 0) + Math.max(0, ...sources.map((source) => longestTo(phases, source)));
}

test("finds a chain as long as the longest of all, along the dependencies", () => {
  const anyPhases = fc
    .array(fc.tuple(fc.option(fc.nat({ max: 9 })), fc.array(fc.nat({ max: 7 }), { maxLength: 3 })), { maxLength: 8 })
    .map((drafts) =>
      drafts.map(([durationMs, sources], index) => {
        const earlier = sources.filter((source) => source < index).map((source) => `p${source}`);
        return phase(`p${index}`, durationMs, ...earlier);
      }),
    );
  fc.assert(
    fc.property(anyPhases, (phases) => {
      const path = findCriticalPath(phases);
      expect(path.duration_ms).toBe(Math.max(0, ...phases.map((last) => longestTo(phases, last))));
      const durations = path.phases.map((name) => phases.find((other) => other.phase === name)?.duration_ms ?? 0);
      expect(durations.reduce((sum, durationMs) => sum + durationMs, 0)).toBe(path.duration_ms);
      const order = path.phases.map((name) => phases.findIndex((other) => other.phase === name));
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }),
  );
});
