import type { PhaseRecord, PhaseStatus } from "@fanfold/schemas";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PlanGraph } from "../../src/plan/plan-graph.ts";
import { phaseRecord, type RunState } from "../../src/run/run-state.ts";
import { planRerun } from "../../src/run/plan-rerun.ts";
import { isPhaseOver, isRunOver } from "../../src/run/transitions.ts";
import { conditionDecided } from "../../src/run/reopening.ts";
import { choices, fatedPlans, interventions, limitedPlans } from "./random-plan.ts";
import { conditionSays, endOf, gatesHold, isBlocked } from "./run-referee.ts";
import type { FatedPlan } from "./fated-plan.ts";
import { SimulatedRun } from "./simulated-run.ts";

/** Random plans of each test. The simulated run checks the invariants of `RunReferee` at every step. */
const NUM_RUNS = Number(process.env["FANFOLD_TEST_PLANS"] ?? 500);
/** Far more time than they need. */
const TIMEOUT_MS = 5_000 + NUM_RUNS * 5;

/** Runs a check; its error then tells all that has happened. */
function follow(run: SimulatedRun, check: (run: SimulatedRun) => void): void {
  try {
    check(run);
  } catch (cause) {
    throw new Error([String(cause), ...run.trace].join("\n"), { cause });
  }
}

/** Whether a phase ended as it should, given how those ended that it depends on. */
function isWell({ state }: SimulatedRun, id: string, record: PhaseRecord): boolean {
  const { status, cause } = record;
  const statusOf = (of: string): PhaseStatus => phaseRecord(state, of).status;
  if (cause?.code === "condition_false" && cause.phase === id)
    return conditionSays(state.graph, id, statusOf) === "false";
  if (cause?.code === "condition_failed") return conditionSays(state.graph, id, statusOf) === "failed";
  if (status === "succeeded" || status === "failed") return true;
  if (status === "blocked") return isBlocked(state.graph, id);
  return hasStandingCause(state, record);
}

/** Whether a phase that did not run has a reason that still stands: no culprit has done well since. */
function hasStandingCause({ run, graph, phases }: RunState, { status, cause }: PhaseRecord): boolean {
  const code = cause?.code;
  if (code === "not_selected") return status === "skipped";
  if (code === "cancel_requested") return status === "cancelled" && run.stop === "cancel";
  if (code === "run_timeout" || code === "budget_spent") return status === "cancelled" && run.stop !== null;
  const culprit = phases.get(cause?.phase ?? "");
  if (cause?.phase === undefined || culprit === undefined) return false;
  if (cause.code === "unreachable") return culprit.status === "succeeded";
  if (cause.code === "condition_false") return conditionDecided(cause.phase, culprit);
  if (cause.code === "missing_dependency") return !graph.phase(cause.phase).takes_part;
  return culprit.status === "failed" || culprit.status === "cancelled";
}

/** Ids of the phases that are not as they should be. */
function offenders(run: SimulatedRun, isRight: (record: PhaseRecord, id: string) => boolean): string[] {
  return [...run.state.phases].filter(([id, record]) => !isRight(record, id)).map(([id]) => id);
}

test(
  "a run always ends, whatever happens in whatever order",
  () => {
    fc.assert(
      fc.property(limitedPlans, interventions, choices, (plan, mayHappen, chosen) => {
        follow(new SimulatedRun(plan, mayHappen), (run) => {
          run.play(chosen);
          expect(isRunOver(run.state.run.status)).toBe(true);
          expect(offenders(run, (record, id) => isWell(run, id, record))).toEqual([]);
        });
      }),
      { numRuns: NUM_RUNS },
    );
  },
  TIMEOUT_MS,
);

test(
  "a run whose failed phases are retried until they succeed leaves nothing undone",
  () => {
    fc.assert(
      fc.property(limitedPlans, interventions, choices, (plan, { retries }, chosen) => {
        follow(new SimulatedRun(plan, { retries, cancels: 0 }), (run) => {
          run.play(chosen);
          run.heal(chosen);
          expect(offenders(run, (record, id) => isWell(run, id, record))).toEqual([]);
          const lost = offenders(run, ({ status, cause }) => status !== "failed" || cause?.code === "condition_failed");
          expect(lost).toEqual([]);
          const isBeyondRepair = ({ status }: PhaseRecord) => status === "blocked" || status === "failed";
          if ([...run.state.phases.values()].some(isBeyondRepair)) return;
          expect(run.state.run.status).toBe("succeeded");
        });
      }),
      { numRuns: NUM_RUNS },
    );
  },
  TIMEOUT_MS,
);

/** Whether what the run keeps says rightly which outputs are out of date. */
function staleness(state: RunState): string[] {
  const { graph, phases } = state;
  const isStale = (id: string): boolean => {
    const { dependencies = [], revision } = phases.get(id) ?? { revision: 0 };
    if (revision === 0) return false;
    return dependencies.some(({ phase, revision: used, artifact_hashes }) => {
      const source = phaseRecord(state, phase);
      const now = Object.fromEntries((source.artifacts ?? []).map(({ name, sha256 }) => [name, sha256]));
      const isSame = used === source.revision || (used > 0 && JSON.stringify(now) === JSON.stringify(artifact_hashes));
      return !isSame || isStale(phase);
    });
  };
  return graph.ids.filter(
    (id) => isPhaseOver(phases.get(id)?.status ?? "pending") && isStale(id) !== (phases.get(id)?.stale !== undefined),
  );
}

test(
  "a run whose phases are run again at any moment ends, knows what is out of date, and can be brought up to date",
  () => {
    fc.assert(
      fc.property(
        limitedPlans,
        interventions,
        fc.integer({ min: 1, max: 5 }),
        choices,
        (plan, { retries }, reruns, chosen) => {
          follow(new SimulatedRun(plan, { retries, cancels: 0, reruns }), (run) => {
            run.play(chosen);
            expect(isRunOver(run.state.run.status)).toBe(true);
            expect(staleness(run.state)).toEqual([]);
            expect(offenders(run, ({ if_stale }) => if_stale === undefined)).toEqual([]);
            run.bringUpToDate(chosen);
            expect(staleness(run.state)).toEqual([]);
            const hasOutlived = (id: string): boolean =>
              run.state.graph.phase(id).depends_on.some(({ when }) => when === "failure");
            const left = offenders(run, ({ status, stale }) => status !== "succeeded" || stale === undefined);
            if (!run.state.graph.ids.some(hasOutlived)) expect(left).toEqual([]);
            const { steps } = planRerun(run.state, { phases: [], reach: "update", changed: new Map() });
            const isBeyondRepair = ({ status }: PhaseRecord) => status === "blocked" || status === "failed";
            if ([...run.state.phases.values()].some(isBeyondRepair)) return;
            expect(steps).toEqual([]);
            expect(run.state.run.status).toBe("succeeded");
          });
        },
      ),
      { numRuns: NUM_RUNS },
    );
  },
  TIMEOUT_MS,
);

/** How each phase ends in a run that nothing aborts, worked out from the plan alone. */
function foretell(graph: PlanGraph, plan: FatedPlan): Map<string, PhaseRecord> {
  const foretold = new Map<string, PhaseRecord>();
  const ends = (id: string): PhaseStatus => {
    if (isBlocked(graph, id)) return "blocked";
    if (!graph.phase(id).takes_part || !gatesHold(graph, id, statusOf)) return "skipped";
    const says = conditionSays(graph, id, statusOf);
    if (says !== "true") return says === "false" ? "skipped" : "failed";
    const fated = plan.phases[id];
    const isTolerated = fated?.fate === "shard_fails" && fated.tolerated > 0;
    return fated?.fate === "succeeds" || isTolerated ? "succeeded" : "failed";
  };
  const statusOf = (id: string): PhaseStatus => {
    const known = foretold.get(id);
    if (known !== undefined) return known.status;
    const status = ends(id);
    foretold.set(id, { status, revision: 0 });
    return status;
  };
  for (const id of graph.ids) statusOf(id);
  return foretold;
}

test(
  "a run that nobody touches ends as its plan and the outcomes of its phases say",
  () => {
    fc.assert(
      fc.property(fatedPlans, choices, (plan, chosen) => {
        follow(new SimulatedRun(plan, { retries: 0, cancels: 0 }), (run) => {
          run.play(chosen);
          const { graph } = run.state;
          const foretold = foretell(graph, plan);
          const isAborter = (id: string): boolean => {
            const { critical, on_failure } = graph.phase(id);
            return critical && on_failure === "abort" && foretold.get(id)?.status === "failed";
          };
          const isAborted = ({ status, cause }: PhaseRecord) => status === "cancelled" && isAborter(cause?.phase ?? "");
          const isAsForetold = (record: PhaseRecord, id: string) => record.status === foretold.get(id)?.status;
          expect(offenders(run, (record, id) => isAsForetold(record, id) || isAborted(record))).toEqual([]);
          const phases = [...run.state.phases.values()].some(isAborted) ? run.state.phases : foretold;
          expect(run.state.run.status).toBe(endOf({ ...run.state, phases }));
          expect(run.sweeps).toBe(0);
        });
      }),
      { numRuns: NUM_RUNS },
    );
  },
  TIMEOUT_MS,
);
