import type { Limiter } from "../limiter/contract.ts";
import type { ShadowEvent } from "../shadow/shadow.ts";

/** The decisions of a limiter's shadow, in order, for tests. */
export interface ShadowDecisions {
  /** Resolves with the next decision, which may already have been made. */
  next(): Promise<ShadowEvent>;
  /** Decisions that no call of `next` has returned yet. */
  readonly waiting: readonly ShadowEvent[];
}

/**
 * Collects a shadow's decisions. A shared store may answer for a shadow later than for the live decision, so tests
 * await the shadow's decision with `next`.
 */
export function shadowDecisions(limiter: Pick<Limiter<never>, "observe">): ShadowDecisions {
  const waiting: ShadowEvent[] = [];
  const askers: ((event: ShadowEvent) => void)[] = [];
  limiter.observe({
    shadowed(event) {
      const asker = askers.shift();
      if (asker === undefined) waiting.push(event);
      else asker(event);
    },
  });
  return {
    waiting,
    next() {
      const event = waiting.shift();
      if (event !== undefined) return Promise.resolve(event);
      return new Promise((resolve) => {
        askers.push(resolve);
      });
    },
  };
}
