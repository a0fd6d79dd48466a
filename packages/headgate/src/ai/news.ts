import type { Account } from "./account.ts";
import type { TokenUse } from "./usage.ts";

/** What is left of one limit, in the form that `headgate/client` reads. */
export interface LimitNews {
  readonly name: string;
  readonly quota: number;
  readonly unit: string;
  readonly windowSeconds: number;
  readonly remaining: number;
  /**
   * Seconds until `remaining` next grows. While the answer still holds units: the maximum number of seconds until they
   * lapse.
   */
  readonly resetSeconds: number;
}

/** The cost of an answer so far, and what remains. It can be sent as JSON. */
export interface MeterNews {
  readonly used: TokenUse;
  /** What will remain of each limit once the answer has ended. `concurrent` limits are left out. */
  readonly limits: readonly LimitNews[];
  /** When the next message will be admitted, if the budget ran out. */
  readonly budget?: {
    /** Whole seconds, rounded up; absent if no wait helps. */
    readonly retryAfterSeconds?: number;
    readonly waitsFor: "window" | "holders";
    /** The limit that has the longest wait. */
    readonly limit: string;
  };
}

export function newsOf(account: Account, isOutOfBudget: boolean): MeterNews {
  const { admission, refused } = account;
  const limits = admission.limits
    .filter(({ algorithm }) => algorithm !== "concurrent")
    .map(({ name, unit, quota, windowMs, remaining, resetMs }): LimitNews => {
      return {
        name,
        quota,
        unit,
        windowSeconds: Math.round(windowMs / 1000),
        // Held but unused units are free again at the end.
        remaining: Math.min(quota, remaining + account.heldIn(unit)),
        resetSeconds: Math.ceil(resetMs / 1000),
      };
    });
  const news = { used: account.used, limits };
  if (!isOutOfBudget || refused === undefined) return news;
  const { retryAfterSeconds, waitsFor, binding } = refused;
  const wait = Number.isFinite(retryAfterSeconds) ? { retryAfterSeconds } : {};
  return { ...news, budget: { ...wait, waitsFor, limit: binding.name } };
}
