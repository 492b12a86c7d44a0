import * as fc from "fast-check";
import type { When } from "./run-fixture.ts";
import type { Fate, FatedPhase, FatedPlan, Interventions } from "./fated-plan.ts";

const MOST_PHASES = 7;

/** Mostly the usual value. */
function rarely<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 7 }, { arbitrary: fc.constantFrom(...others), weight: 2 });
}

const row = fc.record({
  /** Edges to phases that many places before; one that leads nowhere is dropped. */
  edges: fc.uniqueArray(
    fc.record({
      back: fc.integer({ min: 1, max: MOST_PHASES - 1 }),
      when: fc.constantFrom<When>("success", "success", "failure", "always"),
      isSoft: fc.constantFrom(false, false, false, true),
    }),
    { maxLength: 3, selector: ({ back }) => back },
  ),
  onFailure: fc.constantFrom("abort" as const, "skip_dependents" as const, "continue" as const),
  critical: fc.boolean(),
  shardCount: fc.integer({ min: 0, max: 3 }),
  fate: fc.constantFrom<Fate>("succeeds", "succeeds", "shard_fails", "merge_rejected", "expansion_failed"),
  maxParallel: fc.constantFrom(0, 0, 1),
  tolerated: fc.constantFrom(0, 0, 0, 1),
  maxConsecutive: fc.constantFrom(0, 0, 0, 1),
  takesPart: rarely(true, false),
  isApproval: rarely(false, true),
  /** `source`: whether a phase before it did well. */
  condition: rarely<"none" | "true" | "false" | "nonsense" | "source">("none", "source", "true", "false", "nonsense"),
  /** Decides which phase before it the condition looks at. */
  look: fc.nat({ max: 100 }),
  /** Decides the place in the declaration, which need not follow the edges. */
  place: fc.nat({ max: 100 }),
});

type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

/** The phase of a row: its edges lead to the phases of earlier rows. */
function phaseOfRow(rows: readonly Row[], at: number, { edges, shardCount, ...rest }: Row): FatedPhase {
  const { place: _place, look, condition, isApproval, ...policy } = rest;
  const led = edges.filter(({ back }) => back <= at).map((edge) => ({ ...edge, source: `p${at - edge.back}` }));
  const before = placesBefore(rows, at);
  const sources = (wanted: When, soft = false) =>
    led.filter(({ when, isSoft }) => when === wanted && isSoft === soft).map(({ source }) => source);
  return {
    ...policy,
    after: sources("success"),
    afterFailure: led.filter(({ when }) => when === "failure").map(({ source }) => source),
    afterEnd: led.filter(({ when }) => when === "always").map(({ source }) => source),
    softAfter: sources("success", true),
    // what trips the breaker is not tolerated: which shards are in by then is a matter of chance
    maxConsecutive: policy.tolerated === 0 ? policy.maxConsecutive : 0,
    shardCount: policy.fate === "shard_fails" ? Math.max(1, shardCount) : shardCount,
    // nothing of it is executed: all that is not a success is a rejection
    ...(isApproval ? { approval: "well?", shardCount: 0, tolerated: 0 } : {}),
    ...conditionOf(condition, before[look % before.length]),
  };
}

/** Rows that the edges of one lead to, directly or not. */
function placesBefore(rows: readonly Row[], at: number): number[] {
  const sources = (rows[at]?.edges ?? []).map(({ back }) => at - back).filter((source) => source >= 0);
  return [...new Set(sources.flatMap((source) => [source, ...placesBefore(rows, source)]))];
}

function conditionOf(kind: Row["condition"], source: number | undefined): { condition?: string } {
  if (kind === "none") return {};
  if (kind === "nonsense") return { condition: 'vars.MISSING == "x"' };
  if (kind !== "source") return { condition: kind };
  return source === undefined ? {} : { condition: `phases.p${source}.status == "succeeded"` };
}

/** Any DAG with any edges, any failure policies, conditions, selection and any fates of its phases. */
export const fatedPlans: fc.Arbitrary<FatedPlan> = fc
  .record({ cascades: fc.boolean(), rows: fc.array(row, { minLength: 1, maxLength: MOST_PHASES, size: "max" }) })
  .map(({ cascades, rows }) => {
    const phases = rows.map((one, at) => ({ id: `p${at}`, place: one.place, phase: phaseOfRow(rows, at, one) }));
    const declared = phases.toSorted((a, b) => a.place - b.place);
    const byId = Object.fromEntries(declared.map(({ id, phase }) => [id, phase]));
    return { cascades, hasTimeLimit: false, budget: null, phases: byId };
  });

/** The same, with limits of the whole run that may come into play at any moment. */
export const limitedPlans: fc.Arbitrary<FatedPlan> = fc
  .tuple(fatedPlans, fc.boolean(), rarely<number | null>(null, 0, 1, 2, 4, 8))
  .map(([plan, hasTimeLimit, budget]) => {
    const phases = hasTimeLimit ? withTimeToAnswer(plan.phases) : plan.phases;
    return { ...plan, hasTimeLimit, budget, phases };
  });

function withTimeToAnswer(phases: FatedPlan["phases"]): FatedPlan["phases"] {
  const timed = ([id, phase]: [string, FatedPhase]): [string, FatedPhase] =>
    phase.approval === undefined ? [id, phase] : [id, { ...phase, answerWithin: 60 }];
  return Object.fromEntries(Object.entries(phases).map(timed));
}

/** How often people step in. */
export const interventions: fc.Arbitrary<Interventions> = fc.record({
  retries: fc.nat({ max: 4 }),
  cancels: fc.nat({ max: 1 }),
});

/** What happens next, time after time, among what may. */
export const choices = fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 120, size: "max" });
