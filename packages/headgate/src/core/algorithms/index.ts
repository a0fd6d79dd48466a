import type { AlgorithmName } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";
import { concurrent } from "./concurrent.ts";
import { fixedWindow } from "./fixed-window.ts";
import { slidingCounter } from "./sliding-counter.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** Each algorithm keeps a state of its own shape; whoever holds states treats them as opaque. */
export type State = unknown;

export const algorithms: Readonly<Record<AlgorithmName, Algorithm<State>>> = {
  "sliding-window": slidingWindow as Algorithm<State>,
  "token-bucket": tokenBucket as Algorithm<State>,
  "fixed-window": fixedWindow as Algorithm<State>,
  "sliding-counter": slidingCounter as Algorithm<State>,
  concurrent: concurrent as Algorithm<State>,
};

/** Algorithms whose limits of one unit read one state together. */
export const sharesState: ReadonlySet<AlgorithmName> = new Set(["sliding-window"]);
