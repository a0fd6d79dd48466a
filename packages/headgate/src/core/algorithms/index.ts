import { type AlgorithmName, isCoarse, type Limit } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";
import { coarseLog } from "./coarse-log.ts";
import { concurrent } from "./concurrent.ts";
import { fixedWindow } from "./fixed-window.ts";
import { slidingCounter } from "./sliding-counter.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** The kinds of state: one for each algorithm, and the coarse logs of large sliding windows. */
export type StateKind = AlgorithmName | "coarse-log";

const algorithms: Readonly<Record<StateKind, Algorithm>> = {
  "sliding-window": slidingWindow,
  "token-bucket": tokenBucket,
  "fixed-window": fixedWindow,
  "sliding-counter": slidingCounter,
  concurrent,
  "coarse-log": coarseLog,
};

/** The algorithm that counts a limit. */
export function algorithmOf(limit: Limit): Algorithm {
  return algorithms[isCoarse(limit) ? "coarse-log" : limit.algorithm];
}

/**
 * The kind of state that a group of limits reads. It depends on the algorithm, not on the quotas: during an outage, a
 * process may apply a small part of a large quota, and must count it in the same kind of state as the whole quota.
 */
export function stateKindOf(group: {
  readonly algorithm: Algorithm;
  readonly limits: readonly Limit[];
}): StateKind {
  return group.algorithm === coarseLog ? "coarse-log" : (group.limits[0] as Limit).algorithm;
}

/** Algorithms whose limits of one unit read one state together. */
export const sharesState: ReadonlySet<AlgorithmName> = new Set(["sliding-window"]);
