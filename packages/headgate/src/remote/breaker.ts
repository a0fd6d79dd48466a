import type { Clock } from "../core/clock.ts";
import { reasonOf } from "../core/reason.ts";
import { isWorker } from "../core/runtime.ts";

/**
 * `closed`: the store decides. `open`: the outage policies decide. `half-open`: the store is being probed, or is receiving
 * the requests admitted without it; the outage policies still decide.
 */
export type BreakerState = "closed" | "open" | "half-open";

/** A change of state. */
export interface OutageEvent {
  /** By the limiter's clock: milliseconds since 1970-01-01T00:00Z. */
  readonly at: number;
  /** The store's name: `redis`. */
  readonly store: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** When the previous state began, in the same unit as `at`. */
  readonly since: number;
  /** The store's last error, as text for people. Absent if the store has not failed since it last answered. */
  readonly reason: string | undefined;
}

export interface BreakerOptions {
  readonly store: string;
  readonly clock: Clock;
  /** How many failures in a row open the breaker. */
  readonly failuresToOpen: number;
  /** While open, the store is probed at this interval, ms, ± 20%, so that processes do not probe together. */
  readonly probeEveryMs: number;
  /** From 0 up to 1, drawn again for each probe. */
  readonly random: () => number;
  readonly onTransition: (event: OutageEvent) => void;
}

/** Stops calls to a store that does not answer. It has no timer: each request asks whether to call. */
export interface Breaker {
  readonly state: BreakerState;
  readonly since: number;
  /** Failures in a row. */
  readonly failures: number;
  readonly reason: string | undefined;
  /** When the store is tried next, by the clock; 0 while closed. */
  readonly nextProbeAt: number;
  /** Whether to call the store now. A caller that gets `probe` must report the result with `probed`. */
  ask(): "call" | "probe" | "wait";
  /** A call was answered. */
  succeeded(): void;
  /** A call failed or was not answered in time. */
  failed(error: unknown): void;
  /** The probe is over. If it was answered, the state stays half-open until `recovered`. */
  probed(answered: boolean): void;
  /** The store has received all changes, or has failed often enough during this that the breaker opens again. */
  recovered(): void;
}

export function createBreaker(options: BreakerOptions): Breaker {
  const { store, clock, failuresToOpen, probeEveryMs, random, onTransition } = options;
  let state: BreakerState = "closed";
  let since = clock.now();
  let failures = 0;
  let reason: string | undefined;
  let nextProbeAt = 0;

  function become(to: BreakerState): void {
    if (to === state) return;
    const event = { at: clock.now(), store, from: state, to, since, reason };
    state = to;
    since = event.at;
    onTransition(event);
  }

  function open(): void {
    nextProbeAt = clock.now() + Math.ceil(probeEveryMs * (0.8 + 0.4 * random()));
    become("open");
  }

  return {
    get state() {
      return state;
    },
    get since() {
      return since;
    },
    get failures() {
      return failures;
    },
    get reason() {
      return reason;
    },
    get nextProbeAt() {
      return nextProbeAt;
    },

    ask() {
      if (state === "closed") return "call";
      if (clock.now() < nextProbeAt) return "wait";
      if (state === "half-open") {
        // In a Worker a probe may have ended with its request, so its result was never reported.
        if (!isWorker) return "wait";
        nextProbeAt = clock.now() + probeEveryMs;
        return "probe";
      }
      nextProbeAt = clock.now() + probeEveryMs;
      become("half-open");
      return "probe";
    },

    succeeded() {
      // An answer that arrives while open belongs to an earlier call: only a probe shows how the store is now.
      if (state === "open") return;
      failures = 0;
    },

    failed(error) {
      failures += 1;
      reason = reasonOf(error);
      if (state === "closed" && failures >= failuresToOpen) open();
    },

    probed(answered) {
      if (!answered) open();
      else failures = 0;
    },

    recovered() {
      if (failures >= failuresToOpen) {
        open();
        return;
      }
      nextProbeAt = 0;
      become("closed");
      reason = undefined;
    },
  };
}
