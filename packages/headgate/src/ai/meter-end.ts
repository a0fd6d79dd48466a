import type { Refused } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import type { TokenUse } from "./usage.ts";

/** How a metered response ended. */
export type MeterEndReason =
  /** The answer is complete. */
  | "finished"
  /** Nothing more was affordable. */
  | "budget"
  /** The last call of the model failed. */
  | "failed"
  /** The client left. */
  | "gone"
  /** The model was silent for too long. */
  | "timed-out";

/** How a metered response ended, and what it cost. */
export interface MeterEnd {
  readonly how: MeterEndReason;
  /** The tokens of all calls. */
  readonly used: TokenUse;
  /** What was charged, by unit. `"nothing"` if nothing was served: the request has been refunded too. */
  readonly charged: Cost | "nothing";
  /** Whether part of `used` is an estimate, because a provider reported no use or a call was cut off. */
  readonly estimated: boolean;
  /** The refusal that ended the response, if `how` is `budget`. It contains the wait. */
  readonly refused: Refused | undefined;
}
