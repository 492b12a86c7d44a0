/** What was taken out of a plan before it was compiled. */
export interface ExcludedPart {
  readonly phases: ReadonlySet<string>;
  /** Artifact → the excluded phase that provides it. */
  readonly artifacts: ReadonlyMap<string, string>;
  /** Variables that the excluded phases use: nobody has to give them, and nobody is told that they are unused. */
  readonly variables: ReadonlySet<string>;
}

/** Of a plan that is compiled as a whole. */
export const NOTHING_EXCLUDED: ExcludedPart = { phases: new Set(), artifacts: new Map(), variables: new Set() };
