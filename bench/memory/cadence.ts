/** One measurement. */
export interface Task {
  readonly contender: string;
  readonly decided: "admitted" | "refused";
  readonly callers: number;
  /** Whether the callers' keys are the same strings at every visit, or made anew as a server does. */
  readonly keys: "kept" | "anew";
  /** None where the first visits of so many callers are warming enough. */
  readonly warmUpDecisions: number;
  readonly decisionsAStretch: number;
  readonly stretches: number;
}

/** A caller comes five times within a minute, and again later: never more often than the limits of the product allow. */
export const visitsACycle = 5;
const betweenVisitsMs = 14_000;
const cycleMs = 330_000;

/** When the callers' visit of this number begins, in milliseconds. */
export function startOfPass(pass: number): number {
  return Math.floor(pass / visitsACycle) * cycleMs + (pass % visitsACycle) * betweenVisitsMs;
}
