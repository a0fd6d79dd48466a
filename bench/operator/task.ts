/** What an operator may have running next to a limiter. */
export const parts = ["metrics", "log", "shadow", "console"] as const;
export type Part = (typeof parts)[number];

/** One measurement, in a process of its own. */
export type Task =
  | {
      readonly do: "cost";
      readonly on: readonly Part[];
      readonly decisions: number;
      readonly stretches: number;
    }
  | { readonly do: "flood"; readonly on: readonly Part[]; readonly keys: number };

export interface Flooded {
  readonly seconds: number;
  readonly longestWorkMs: number;
  readonly peakResidentBytes: number;
  /** Above what was held before the first key, with garbage collected. */
  readonly heldAtHalfBytes: number;
  readonly heldAtEndBytes: number;
  readonly lostLines: number;
}
