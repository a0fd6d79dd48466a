import type { Clock } from "../core/clock.ts";
import { processWide } from "../core/copies.ts";
import { later, systemClock } from "../limiter/clock.ts";
import type { Limiter } from "../limiter/contract.ts";

/** The wait that a provider has asked for, for one account, as far as this process knows. */
export interface ProviderHolds {
  /** The remaining wait, ms; 0 if there is none. */
  leftMs(): number;
  /** Starts a wait of `ms` from now, unless a wait that ends later is already running. */
  hold(ms: number): void;
  /** Resolves when the wait is over. Rejects with the signal's reason if it is aborted. */
  wait(signal: AbortSignal | undefined): Promise<void>;
}

/**
 * Models that share a limiter and a caller share an account. This is the number of accounts that are remembered for
 * each limiter.
 */
const mostAccounts = 1000;
const accounts = /* @__PURE__ */ processWide(
  "provider-accounts",
  () => new WeakMap<object, Map<string, number>>(),
);

/** @param account identifies the account within the limiter. */
export function providerHolds(
  limiter: Limiter<never>,
  account: string,
  clock: Clock = systemClock,
): ProviderHolds {
  const untils = accounts.get(limiter) ?? new Map<string, number>();
  accounts.set(limiter, untils);
  const leftMs = () => Math.max(0, (untils.get(account) ?? 0) - clock.now());

  return {
    leftMs,
    hold(ms) {
      const until = Math.max(untils.get(account) ?? 0, clock.now() + ms);
      for (const [other, end] of untils) if (end <= clock.now()) untils.delete(other);
      if (untils.size >= mostAccounts && !untils.has(account))
        untils.delete(untils.keys().next().value as string);
      untils.set(account, until);
    },
    async wait(signal) {
      // A longer wait may be requested during the sleep.
      for (let left = leftMs(); left > 0; left = leftMs())
        await sleep(Math.min(left, longestTimerMs), clock, signal);
      signal?.throwIfAborted();
    },
  };
}

const longestTimerMs = 2 ** 31 - 1;

function sleep(ms: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      cancel();
      reject(signal?.reason);
    };
    const done = () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    };
    const cancel = later(clock, ms, done);
    signal?.addEventListener("abort", stop);
  });
}
