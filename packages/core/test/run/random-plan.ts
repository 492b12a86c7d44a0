import * as fc from "fast-check";
import type { When } from "./run-fixture.ts";
import type { Fate, FatedPhase, FatedPlan, Interventions } from "./simulated-run.ts";

const MOST_PHASES = 7;

const row = fc.record({
  /** Edges to phases that many places before; one that leads nowhere is dropped. */
  edges: fc.uniqueArray(
    fc.record({
      back: fc.integer({ min: 1, max: MOST_PHASES - 1 }),
      when: fc.constantFrom<When>("success", "success", "failure", "always"),
    }),
    { maxLength: 3, selector: ({ back }) => back },
  ),
  onFailure: fc.constantFrom("abort" as const, "skip_dependents" as const, "continue" as const),
  critical: fc.boolean(),
  shardCount: fc.integer({ min: 0, max: 3 }),
  fate: fc.constantFrom<Fate>("succeeds", "succeeds", "shard_fails", "merge_rejected", "expansion_failed"),
  /** Decides the place in the declaration, which need not follow the edges. */
  place: fc.nat({ max: 100 }),
});

/** Any DAG with any edges, any failure policies and any fates of its phases. */
export const fatedPlans: fc.Arbitrary<FatedPlan> = fc
  .record({ cascades: fc.boolean(), rows: fc.array(row, { minLength: 1, maxLength: MOST_PHASES, size: "max" }) })
  .map(({ cascades, rows }) => {
    const phases = rows.map(({ edges, place, shardCount, ...policy }, at) => {
      const sources = (wanted: When) =>
        edges.filter(({ back, when }) => when === wanted && back <= at).map(({ back }) => `p${at - back}`);
      const phase: FatedPhase = {
        ...policy,
        after: sources("success"),
        afterFailure: sources("failure"),
        afterEnd: sources("always"),
        shardCount: policy.fate === "shard_fails" ? Math.max(1, shardCount) : shardCount,
      };
      return { id: `p${at}`, place, phase };
    });
    const declared = phases.toSorted((a, b) => a.place - b.place);
    return { cascades, phases: Object.fromEntries(declared.map(({ id, phase }) => [id, phase])) };
  });

/** How often people step in. */
export const interventions: fc.Arbitrary<Interventions> = fc.record({
  retries: fc.nat({ max: 4 }),
  cancels: fc.nat({ max: 1 }),
});

/** What happens next, time after time, among what may. */
export const choices = fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 120, size: "max" });
