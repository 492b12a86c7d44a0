import type { PlanPath } from "./plan-problem.ts";
import type { TextPosition } from "./source-text.ts";

/** What a problem points at: the key of a path's last part, or the value behind it. */
export type PlaceTarget = "key" | "value";

/** A piece of text to point at inside a value. */
export interface NearText {
  readonly text: string;
  /** How many characters into that text (default 0). */
  readonly offset?: number;
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
  locate(path: PlanPath, target: PlaceTarget, near?: NearText): TextPosition;
  /** What the text looks like there; empty without a text. */
  frame(position: TextPosition): string;
  /** A plain scalar as its author wrote it, such as `1.10`; undefined where that is not known. */
  findSource(path: PlanPath): string | undefined;
  /** Shows a text inside a value, or all of the value, as stars in every frame from now on. */
  hide(path: PlanPath, text: string): void;
}

/** A plan that never had a text: written in TypeScript, or sent as JSON and parsed elsewhere. */
export class ValueDocument implements PlanDocument {
  readonly file = "plan";
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  locate(): TextPosition {
    return { line: 0, column: 0 };
  }

  frame(): string {
    return "";
  }

  findSource(): undefined {
    return undefined;
  }

  hide(): void {}
}
