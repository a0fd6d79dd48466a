import type { StateKind } from "../../../core/algorithms/index.ts";

/**
 * The first number of every stored state: which algorithm wrote it, and in which layout. A new layout gets a new
 * number, so that no state is ever misread.
 */
export const stateCodes: Readonly<Record<StateKind, number>> = {
  "sliding-window": 1,
  "token-bucket": 2,
  "fixed-window": 3,
  "sliding-counter": 4,
  concurrent: 5,
  "coarse-log": 6,
};

/** What the functions answer for a wait that never ends. */
export const never = 2n ** 62n;

/** Beyond it, running totals near the end of their range. */
export const highTotal = 2n ** 60n;

/** The largest quota of limits that are counted stamp by stamp without being asked to. */
export const largestUsualQuota = 1000;

/** Added to the code of a stored state while its partition holds others of its unit. */
export const inCompany = 16;

/**
 * What a request in a batch asks for. `plain` is an `admit` that charges sliding windows alone, all that it needs, each
 * once. `reserve` and `reservePeek` are for what may be held. `under` says by which overrides the limits of the requests that
 * follow are, until the next one.
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
 * What became of a request in a batch. Of a reservation that has `ended` or finds its partition `crowded`, and by overrides: it is
 * refused.
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

/** The first number of a partition's holdings, which stand among its states. */
export const holdingsCode = 100;

/** Under which they stand: the hash that no group has. */
export const holdingsStateId = "0";

/** Where a fixed window begins and ends. */
export const edgeKinds = { steps: 0, firstUse: 1, calendar: 2 } as const;
