/** The tools that an operator may use with a limiter. */
export const parts = ["metrics", "log", "shadow", "console"] as const;
export type Part = (typeof parts)[number];

/** One measurement, in a separate process. */
export type Task =
  | {
      readonly do: "cost";
      readonly on: readonly Part[];
      readonly decisions: number;
      readonly stretches: number;
    }
  | { readonly do: "flood"; readonly on: readonly Part[]; readonly keys: number };

/** When the flood is measured, as fractions of its keys: 1, 2, 5 and 10 million of 10 million. */
export const floodShares = [0.1, 0.2, 0.5, 1] as const;

/** How far a key moves the clock of the limiter. 10 million keys then take 13 minutes, so windows of a minute end. */
export const floodMsAKey = 0.08;

export interface FloodStep {
  /** The number of keys so far. */
  readonly keys: number;
  /** The time since the previous step. */
  readonly seconds: number;
  readonly longestWorkMs: number;
  readonly peakResidentBytes: number;
  /** Bytes above the memory before the first key, after a garbage collection and with the log written. */
  readonly heldBytes: number;
}

export interface Flooded {
  readonly steps: readonly FloodStep[];
  readonly lostLines: number;
}
