import type { PlanPath } from "./plan-problem.ts";

/** A phase of the plan's list, and where its author wrote it: no longer the same once stages or exclusions moved it. */
export interface ArrangedPhase {
  readonly value: unknown;
  readonly origin: PlanPath;
  /** Where each entry of `depends_on` comes from, where that is not the same entry of the same phase. */
  readonly edges?: readonly PlanPath[];
}
