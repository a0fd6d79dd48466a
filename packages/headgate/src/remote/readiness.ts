import { HeadgateError } from "../core/errors.ts";
import { reasonOf } from "../core/reason.ts";
import type { Store } from "../core/store.ts";
import type { Breaker } from "./breaker.ts";
import { type StoreCalls, succeeds } from "./store-calls.ts";
import { createTimeLimit, StoreTimeoutError } from "./time-limit.ts";

export interface ReadinessOptions {
  readonly store: Pick<Store, "name">;
  readonly breaker: Breaker;
  readonly calls: Pick<StoreCalls, "bounded">;
  /** How long a decision may take, ms. */
  readonly timeoutMs: number;
  /** Asks the store a question that changes nothing. */
  ask(): unknown;
  /** A probe is under way. */
  probed(answered: Promise<boolean>): void;
  /** Whether the limiter has been closed meanwhile. */
  isClosed(): boolean;
}

/**
 * How long the first answer may take at least, ms: the driver may have to be loaded and a connection made first.
 * This is longer than a Redis connection attempt, so that the connection can report why it failed.
 */
const shortestAttemptMs = 2_500;
const firstPauseMs = 25;
const longestPauseMs = 500;

/**
 * Resolves once the store decides: it has answered within the time limit of a decision, and the breaker is closed.
 * Asks repeatedly until then.
 *
 * @param longestMs the total time limit, by this machine's own monotonic time.
 * @throws HeadgateError `store-unavailable` with the last reason, `store-invalid` at once if no client for the store is installed, or `limiter-closed`
 */
export async function untilReady(options: ReadinessOptions, longestMs: number): Promise<void> {
  const { store, breaker, calls, timeoutMs, ask, probed, isClosed } = options;
  const giveUpAt = performance.now() + longestMs;
  const attemptMs = Math.max(timeoutMs, shortestAttemptMs);
  let reason = breaker.reason;
  let pauseMs = firstPauseMs;

  /** Whether the store answered in time. */
  async function attempt(leftMs: number): Promise<boolean> {
    const go = breaker.ask();
    if (go === "wait") return false;
    const askedAt = performance.now();
    const limitMs = Math.ceil(Math.min(leftMs, attemptMs));
    const call = calls.bounded(ask, createTimeLimit(store.name, limitMs));
    if (go === "probe") probed(succeeds(call));
    try {
      await call;
    } catch (error) {
      if (isNotInstalled(error)) throw error;
      // If the end of the wait cut this attempt short, the reason of an earlier failure says more.
      const cutShort = error instanceof StoreTimeoutError && limitMs < attemptMs;
      if (!cutShort || reason === undefined) reason = reasonOf(error);
      return false;
    }
    const tookMs = performance.now() - askedAt;
    if (tookMs <= timeoutMs) return breaker.state === "closed";
    reason = `It took ${Math.ceil(tookMs)} ms to answer, and a decision has ${timeoutMs} ms.`;
    return false;
  }

  for (;;) {
    if (isClosed()) {
      throw new HeadgateError("limiter-closed", "This limiter was closed before its store had answered.");
    }
    const leftMs = giveUpAt - performance.now();
    if (leftMs <= 0) {
      throw new HeadgateError(
        "store-unavailable",
        `The store "${store.name}" was not ready within ${longestMs} ms: ${reason ?? "it has not answered."}`,
      );
    }
    if (await attempt(leftMs)) return;
    await pause(Math.min(pauseMs, Math.max(0, giveUpAt - performance.now())));
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
}

/** Whether no client for the store is installed: waiting does not help. */
export function isNotInstalled(error: unknown): boolean {
  return (error as { notInstalled?: unknown } | null)?.notInstalled === true;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
