import type { StateKind } from "../../../core/algorithms/index.ts";

/**
 * The first number of every stored state: its algorithm and format. A new format gets a new number, so that no state is
 * ever misread.
 */
export const stateCodes: Readonly<Record<StateKind, number>> = {
  "sliding-window": 1,
  "token-bucket": 2,
  "fixed-window": 3,
  "sliding-counter": 4,
  concurrent: 5,
  "coarse-log": 6,
};

/** The functions return this for a wait that never ends. */
export const never = 2n ** 62n;

/** Above this, a running total is close to the end of its range. */
export const highTotal = 2n ** 60n;

/** The largest quota whose limit is counted exactly by default. */
export const largestUsualQuota = 1000;

/** Added to the code of a stored state while its partition has other states of its unit. */
export const inCompany = 16;

/**
 * The kinds of requests in a batch. `plain` is an `admit` that charges only sliding windows, spends the units that it
 * needs, and names each state once. `reserve` and `reservePeek` are `admit` and `peek` for requests that may hold
 * units. `under` gives the overrides that set the limits of the following requests, until the next `under`.
 */
export const requestKinds = {
  admit: 0,
  peek: 1,
  adjust: 2,
  reset: 3,
  plain: 4,
  reserve: 5,
  reservePeek: 6,
  under: 7,
} as const;

/**
 * The kinds of answers in a batch. `ended` and `crowded` refuse a reservation that has ended, or whose partition has
 * too many reservations. `blocked` and `overridden` are refusals by overrides.
 */
export const answerKinds = {
  refused: 0,
  admitted: 1,
  corrupt: 2,
  clocksApart: 3,
  ended: 4,
  crowded: 5,
  blocked: 6,
  overridden: 7,
} as const;

/** The first number of a partition's holdings, which are stored like a state. */
export const holdingsCode = 100;

/** The id of the holdings among the partition's states. No group of limits has the hash 0. */
export const holdingsStateId = "0";

/** The edges of a fixed window. */
export const edgeKinds = { steps: 0, firstUse: 1, calendar: 2 } as const;
