import { inBackground } from "../../core/background.ts";
import type { Clock } from "../../core/clock.ts";
import type { Unsettled } from "../../core/ruling.ts";
import { isWorker } from "../../core/runtime.ts";
import type { Breaker } from "../breaker.ts";
import { succeeds } from "../store-calls.ts";
import { createBacklog } from "./backlog.ts";

export interface ReconciliationOptions {
  readonly breaker: Breaker;
  readonly clock: Clock;
  /** How long to wait before sending changes again after a failure, ms. */
  readonly retryEveryMs: number;
  /** How many changes may wait; the oldest is dropped. */
  readonly most: number;
  /** Tries the store when no request comes to do so. Rejects if the store does not answer. */
  probe(): Promise<unknown>;
  onProbe(): void;
  onDropped(): void;
}

/**
 * Sends missed changes to the store: after an outage, before the store decides again; after a single failure,
 * immediately.
 */
export interface Reconciliation {
  /** How many changes wait to be sent to the store. */
  readonly waiting: number;
  /** Whether changes can be sent to the store now. */
  mayTell(): boolean;
  /** @param failed whether sending has just failed: then nothing is sent for a while. */
  keep(unsettled: Unsettled, failed: boolean): void;
  /** Sends the waiting changes, if the store decides and sending has not just failed. */
  tellIfDue(): void;
  /** Records that a probe has been sent. @param answered resolves with whether the store has answered it. */
  probed(answered: Promise<boolean>): void;
  /** Makes sure that an outage ends and that waiting changes are sent, even if no request comes. */
  wakeLater(): void;
  /** Sends the waiting changes, if the store decides, and ends the timer. */
  stop(): Promise<void>;
}

export function createReconciliation(options: ReconciliationOptions): Reconciliation {
  const { breaker, clock, retryEveryMs, most, probe, onProbe, onDropped } = options;
  /** The store has answered a probe, and is receiving the changes made without it. */
  let recovering = false;
  let tellAt = Number.NEGATIVE_INFINITY;
  let soon = false;
  let cancelWake: (() => void) | undefined;
  let stopped = false;

  const mayTell = () => breaker.state === "closed" || recovering;
  const backlog = createBacklog({ most, onDropped });

  async function tell(): Promise<void> {
    const before = breaker.failures;
    await backlog.tell(() => mayTell() && breaker.failures <= before);
  }

  function tellIfDue(): void {
    if (soon || backlog.size === 0 || breaker.state !== "closed" || clock.now() < tellAt) return;
    soon = true;
    // Wait for the code that is ready to run now, so that its changes are sent together.
    void Promise.resolve().then(async () => {
      soon = false;
      if (breaker.state === "closed") await tell();
      if (backlog.size > 0) wakeLater();
      // Changes may have been added during the sending.
      tellIfDue();
    });
  }

  async function recover(): Promise<void> {
    recovering = true;
    await tell();
    recovering = false;
    breaker.recovered();
    // Requests may have been admitted during the sending.
    if (backlog.size > 0) wakeLater();
    tellIfDue();
  }

  function probed(answered: Promise<boolean>): void {
    onProbe();
    void answered.then((isAnswered) => {
      breaker.probed(isAnswered);
      if (!isAnswered) wakeLater();
      // In a Worker the request that probes may end before everything is sent: later requests send the rest.
      else if (backlog.size === 0 || isWorker) breaker.recovered();
      else void recover();
    });
  }

  function wakeLater(): void {
    // A Worker has no timers of its own: its next request does the timer's work.
    if (stopped || cancelWake !== undefined || isWorker) return;
    cancelWake = inBackground(2 * retryEveryMs, wake);
  }

  function wake(): void {
    cancelWake = undefined;
    if (breaker.state === "closed") tellIfDue();
    else if (breaker.ask() === "probe") probed(succeeds(probe()));
    if (breaker.state !== "closed" || backlog.size > 0) wakeLater();
  }

  return {
    get waiting() {
      return backlog.size;
    },

    mayTell,
    tellIfDue,
    probed,
    wakeLater,

    keep(unsettled, failed) {
      backlog.keep(unsettled);
      if (failed) tellAt = clock.now() + retryEveryMs;
      wakeLater();
      tellIfDue();
    },

    async stop() {
      stopped = true;
      cancelWake?.();
      cancelWake = undefined;
      if (breaker.state === "closed" && backlog.size > 0) await tell();
    },
  };
}
