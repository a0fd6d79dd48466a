import type { Algorithm } from "./algorithm.ts";

/**
 * "No more than `quota` at the same time". The units are held by reservations and never used up, so this algorithm
 * needs no state: the partition's holdings record what is held, as for every other limit. Exact, without error.
 */
export const concurrent: Algorithm = {
  length: () => 0,
  growth: 0,
  waitMs: (_row, _at, limit, _now, need) => (need > limit.quota ? Number.POSITIVE_INFINITY : 0),
  read(_row, _at, limit, _now, into, place) {
    into[place] = limit.quota;
    into[place + 1] = 0;
  },
  charge: () => 0,
  refund() {},
  blankAt: () => 0,
};
