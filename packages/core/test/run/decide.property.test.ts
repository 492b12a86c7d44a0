import type { PhaseRecord, PhaseStatus } from "@fanfold/schemas";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PlanGraph } from "../../src/plan/plan-graph.ts";
import { phaseRecord } from "../../src/run/run-state.ts";
import { isRunOver } from "../../src/run/transitions.ts";
import { choices, fatedPlans, interventions } from "./random-plan.ts";
import { endOf, gatesHold } from "./run-referee.ts";
import { type FatedPlan, SimulatedRun } from "./simulated-run.ts";

/** Random plans of each test. The simulated run checks the invariants of `RunReferee` at every step. */
const NUM_RUNS = 500;

/** Runs a check; its error then tells all that has happened. */
function follow(run: SimulatedRun, check: (run: SimulatedRun) => void): void {
  try {
    check(run);
  } catch (cause) {
    throw new Error([String(cause), ...run.trace].join("\n"), { cause });
  }
}

/** Whether a phase that did not run has a reason that still stands: no culprit has done well since. */
function hasStandingCause({ state }: SimulatedRun, { status, cause }: PhaseRecord): boolean {
  if (cause?.phase === undefined) return status === "cancelled" && cause?.code === "cancel_requested";
  const culprit = phaseRecord(state, cause.phase).status;
  return cause.code === "unreachable" ? culprit === "succeeded" : culprit === "failed" || culprit === "cancelled";
}

/** Ids of the phases that did not end as they should. */
function offenders(run: SimulatedRun, isWell: (record: PhaseRecord, id: string) => boolean): string[] {
  return [...run.state.phases].filter(([id, record]) => !isWell(record, id)).map(([id]) => id);
}

test("a run always ends, whatever happens in whatever order", () => {
  fc.assert(
    fc.property(fatedPlans, interventions, choices, (plan, mayHappen, chosen) => {
      follow(new SimulatedRun(plan, mayHappen), (run) => {
        run.play(chosen);
        expect(isRunOver(run.state.run.status)).toBe(true);
        const didRun = ({ status }: PhaseRecord) => status === "succeeded" || status === "failed";
        expect(offenders(run, (record) => didRun(record) || hasStandingCause(run, record))).toEqual([]);
      });
    }),
    { numRuns: NUM_RUNS },
  );
});

test("a run whose failed phases are retried until they succeed leaves nothing undone", () => {
  fc.assert(
    fc.property(fatedPlans, interventions, choices, (plan, { retries }, chosen) => {
      follow(new SimulatedRun(plan, { retries, cancels: 0 }), (run) => {
        run.play(chosen);
        run.heal(chosen);
        const isUnreachable = ({ status, cause }: PhaseRecord) => status === "skipped" && cause?.code === "unreachable";
        expect(offenders(run, (record) => record.status === "succeeded" || isUnreachable(record))).toEqual([]);
        expect(run.state.run.status).toBe("succeeded");
      });
    }),
    { numRuns: NUM_RUNS },
  );
});

/** How each phase ends in a run that nothing aborts, worked out from the plan alone. */
function foretell(graph: PlanGraph, plan: FatedPlan): Map<string, PhaseRecord> {
  const foretold = new Map<string, PhaseRecord>();
  const statusOf = (id: string): PhaseStatus => {
    const known = foretold.get(id);
    if (known !== undefined) return known.status;
    const outcome = plan.phases[id]?.fate === "succeeds" ? "succeeded" : "failed";
    const status = gatesHold(graph, id, statusOf) ? outcome : "skipped";
    foretold.set(id, { status, revision: 0 });
    return status;
  };
  for (const id of graph.ids) statusOf(id);
  return foretold;
}

test("a run that nobody touches ends as its plan and the outcomes of its phases say", () => {
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
});
