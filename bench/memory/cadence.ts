/** One measurement. */
export interface Task {
  readonly contender: string;
  readonly decided: "admitted" | "refused";
  readonly callers: number;
  /** Whether the callers' keys are the same strings at every visit, or created again, as in a server. */
  readonly keys: "kept" | "anew";
  /** Absent if the first visits of many callers are enough of a warm-up. */
  readonly warmUpDecisions: number;
  readonly decisionsAStretch: number;
  readonly stretches: number;
}

/** A caller makes five visits within a minute, and more later, but never more than the product's limits allow. */
export const visitsACycle = 5;
const betweenVisitsMs = 14_000;
const cycleMs = 330_000;

/** Returns when a pass over all callers begins, in milliseconds. */
export function startOfPass(pass: number): number {
  return Math.floor(pass / visitsACycle) * cycleMs + (pass % visitsACycle) * betweenVisitsMs;
}
