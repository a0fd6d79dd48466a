import type { Clock } from "../../core/clock.ts";
import type { Unsettled } from "../../core/ruling.ts";
import { isWorker } from "../../core/runtime.ts";
import type { Breaker } from "../breaker.ts";
import { createBacklog } from "./backlog.ts";

export interface ReconciliationOptions {
  readonly breaker: Breaker;
  readonly clock: Clock;
  /** How long to leave alone what could not be told, ms. */
  readonly retryEveryMs: number;
  /** So much may wait; the oldest is dropped. */
  readonly most: number;
  /** Tries the store where no request comes to do so. Rejects where it does not answer. */
  probe(): Promise<void>;
  onProbe(): void;
  onDropped(): void;
}

/** Brings the store up to date: after an outage before it decides again, and after single failures at once. */
export interface Reconciliation {
  /** How much waits to be told. */
  readonly waiting: number;
  /** Whether the store can be told of anything now. */
  mayTell(): boolean;
  /** @param failed whether telling it has just failed: then it is left alone for a while. */
  keep(unsettled: Unsettled, failed: boolean): void;
  /** Tells what waits, if the store decides and has not just failed at being told. */
  tellIfDue(): void;
  /** A probe is under way. */
  probed(call: Promise<unknown>): void;
  /** Makes sure that an outage ends, and that what waits is told, also where no request comes. */
  wakeLater(): void;
  /** Tells what waits, if the store decides, and ends the timer. */
  stop(): Promise<void>;
}

export function createReconciliation(options: ReconciliationOptions): Reconciliation {
  const { breaker, clock, retryEveryMs, most, probe, onProbe, onDropped } = options;
  /** The store has answered a probe and is being told what happened without it. */
  let recovering = false;
  let tellAt = Number.NEGATIVE_INFINITY;
  let soon = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
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
    // After what is ready now has run: what belongs together is told together.
    void Promise.resolve().then(async () => {
      soon = false;
      if (breaker.state === "closed") await tell();
      if (backlog.size > 0) wakeLater();
      // What was kept while the rest was being told.
      tellIfDue();
    });
  }

  async function recover(): Promise<void> {
    recovering = true;
    await tell();
    recovering = false;
    breaker.recovered();
    // What was admitted while the rest was being told.
    if (backlog.size > 0) wakeLater();
    tellIfDue();
  }

  function probed(call: Promise<unknown>): void {
    onProbe();
    call.then(
      () => {
        breaker.probed(true);
        // In a Worker the request that probes may end before all is told: later ones tell the rest.
        if (backlog.size === 0 || isWorker) breaker.recovered();
        else void recover();
      },
      () => {
        breaker.probed(false);
        wakeLater();
      },
    );
  }

  function wakeLater(): void {
    // A Worker has no timers of its own: its next request does what one would do.
    if (stopped || timer !== undefined || isWorker) return;
    timer = setTimeout(wake, 2 * retryEveryMs);
    // An outage must not keep a process alive that is otherwise done.
    if (typeof timer === "object" && "unref" in timer) timer.unref();
  }

  function wake(): void {
    timer = undefined;
    if (breaker.state === "closed") tellIfDue();
    else if (breaker.ask() === "probe") probed(probe());
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
      clearTimeout(timer);
      timer = undefined;
      if (breaker.state === "closed" && backlog.size > 0) await tell();
    },
  };
}
