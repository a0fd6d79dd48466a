import type { AlgorithmName } from "../limit.ts";
import type { Algorithm } from "./algorithm.ts";
import { concurrent } from "./concurrent.ts";
import { fixedWindow } from "./fixed-window.ts";
import { slidingCounter } from "./sliding-counter.ts";
import { slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

export const algorithms: Readonly<Record<AlgorithmName, Algorithm>> = {
  "sliding-window": slidingWindow,
  "token-bucket": tokenBucket,
  "fixed-window": fixedWindow,
  "sliding-counter": slidingCounter,
  concurrent,
};

/** Algorithms whose limits of one unit read one state together. */
export const sharesState: ReadonlySet<AlgorithmName> = new Set(["sliding-window"]);
