import { longestInLimits as longestBusyInLimits } from "./time-limit.ts";

/** The decisions that wait for a turn, in the order in which they arrived. */
export interface Line {
  /** Whether a new decision has to wait in line. */
  readonly isBusy: boolean;
  /** How many calls may be under way at the moment. */
  readonly width: number;
  /** `undefined` if too many decisions are already in line. Otherwise calls `decide` when it is its turn, and resolves with the result. */
  stand<Answer>(decide: (late: boolean) => Answer | Promise<Answer>): Promise<Answer> | undefined;
  /** A call has been made. @returns when, for `left` */
  entered(): number;
  /** It has been answered, or has failed. */
  left(answered: boolean, enteredAt: number): void;
}

interface Standing {
  readonly since: number;
  readonly realSince: number;
  decide(late: boolean): void;
}

/** How many calls may be under way: at first and at least, and at most. */
export const [fewestUnderWay, mostUnderWay] = [8, 256];
export const mostInLine = 10_000;
/** Decisions that wait in line for longer than this many time limits are made by the outage policies. */
const longestInLimits = 4;

/**
 * Keeps calls from queueing at the store, where queueing time and the store's own delay look the same. Each prompt answer
 * allows one more concurrent call, and a slow answer halves the number, as in TCP (RFC 5681). Waiting decisions are made
 * in order; by then a refusal may be known without a call.
 *
 * @param limitMs how long a call may take; half of it is slow.
 * @param attended this process's time, without that in which it was too busy to read answers. Up to 20 time limits, it
 *   is not the store's delay.
 */
export function createLine(limitMs: number, attended: () => number): Line {
  let width = fewestUnderWay;
  let narrowedAt = Number.NEGATIVE_INFINITY;
  let underWay = 0;
  let standing: Standing[] = [];
  /** All decisions before this index have had their turn. */
  let first = 0;
  let advancing = false;

  function adapt(prompt: boolean): void {
    if (prompt) {
      if (2 * underWay >= width && width < mostUnderWay) width += 1;
      return;
    }
    const now = attended();
    // Calls that were sent together are slow together: reduce only once for them.
    if (now - narrowedAt < limitMs) return;
    narrowedAt = now;
    width = Math.max(fewestUnderWay, Math.floor(width / 2));
  }

  /** Runs whenever a call ends. Every call has a time limit, so no timer is needed. */
  function advance(): void {
    // Decisions that need no call end at once, within this very loop.
    if (advancing) return;
    advancing = true;
    while (first < standing.length) {
      const { since, realSince, decide } = standing[first] as Standing;
      const late =
        attended() - since > longestInLimits * limitMs ||
        performance.now() - realSince > longestBusyInLimits * limitMs;
      if (underWay >= width && !late) break;
      first += 1;
      decide(late);
    }
    if (first === standing.length) {
      standing = [];
      first = 0;
    }
    advancing = false;
  }

  return {
    get isBusy() {
      return underWay >= width || standing.length > 0;
    },
    get width() {
      return width;
    },

    stand(decide) {
      if (standing.length - first >= mostInLine) return undefined;
      return new Promise((resolve) => {
        const [since, realSince] = [attended(), performance.now()];
        standing.push({ since, realSince, decide: (late) => resolve(decide(late)) });
      });
    },

    entered() {
      underWay += 1;
      return attended();
    },

    left(answered, enteredAt) {
      adapt(answered && attended() - enteredAt <= limitMs / 2);
      underWay -= 1;
      if (standing.length > 0) advance();
    },
  };
}
