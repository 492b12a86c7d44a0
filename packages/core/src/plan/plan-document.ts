import type { PlanPath } from "./plan-problem.ts";

/** What a problem points at: the key of a path's last part, or the value behind it. */
export type PlaceTarget = "key" | "value";

/** A place in a plan's text. */
export interface PlanPlace {
  readonly line: number;
  readonly column: number;
  readonly frame: string;
}

/** A plan as it was read, not yet checked, which knows where each of its values stands. */
export interface PlanDocument {
  readonly file: string;
  readonly value: unknown;
  /**
   * Where a value stands. A path that leads nowhere gives the place of its nearest container.
   *
   * @param near a piece of text inside the value that the place should point at, where it can be found
   */
  locate(path: PlanPath, target: PlaceTarget, near?: string): PlanPlace;
}

/** A plan that never had a text: written in TypeScript, or sent as JSON and parsed elsewhere. */
export class ValueDocument implements PlanDocument {
  readonly file = "plan";
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  locate(): PlanPlace {
    return { line: 0, column: 0, frame: "" };
  }
}
