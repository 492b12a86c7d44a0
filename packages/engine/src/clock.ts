/** Where the time comes from. */
export interface Clock {
  /** Unix time in ms. */
  nowMs(): number;
}

/** The machine's clock. */
export const systemClock: Clock = { nowMs: () => Date.now() };
