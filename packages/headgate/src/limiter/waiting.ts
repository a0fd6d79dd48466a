import type { Admission, Known, Refused } from "../core/admission.ts";
import type { Clock } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import { isKnown } from "../core/known-request.ts";
import type { Charge } from "../core/store.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { later } from "./clock.ts";
import { createFairLines, firstOf, type Line, partitionOf } from "./fair-lines.ts";

export interface WaitOptions {
  /** The maximum total wait, in milliseconds from 0 to 86,400,000 (a day). Default: 60,000. */
  maxWaitMs?: number;
  /** Ends the wait: the promise rejects with the signal's reason, and nothing is charged. */
  signal?: AbortSignal;
}

/** A request that waits. */
export interface Wanted {
  /** The partitions to charge. Waiters with the same partitions share one line. */
  readonly charges: readonly Charge[];
  /** The layers of the charges. */
  readonly layers: readonly string[];
  ask(): Admission | Known | Promise<Admission | Known>;
}

/** The callers that wait for a limiter. */
export interface WaitingRoom {
  /** Call this when something that this process held is free again. */
  freed(): void;
  /** Call this when limits have changed or counts were reset: remembered refusals are then out of date. */
  changed(): void;
  /**
   * @returns the admission, in turn; the refusal if its wait for a window exceeds `maxWaitMs`, if no wait helps, or at the
   * deadline; or what is known of its id.
   * @throws HeadgateError `option-invalid` or `queue-full`; the signal's reason. Always as a rejection.
   */
  wait(wanted: Wanted, options: WaitOptions): Promise<Admission | Known>;
}

const usualWaitMs = 60_000;
/** The longest that a caller may wait in line, ms. */
export const longestWaitMs = 86_400_000;
/** How many may wait at once. */
export const mostWaiting = 1000;

/** How often a request that waits for holders is tried again, ms. */
const holdersAgainMs = 1000;

interface Waiter extends Wanted {
  readonly until: number;
  isOver: boolean;
  conclude(answer: Admission | Known): void;
  fail(error: unknown): void;
}

/**
 * A fair queue. A waiter does not ask the store while one of its partitions is known to refuse. The store is asked once for each
 * admission and once for each wait.
 */
export function createWaitingRoom(clock: Clock): WaitingRoom {
  const lines = createFairLines<Waiter>();
  const refusals = createKnownRefusals();
  let isAsking = false;
  let wake: (() => void) | undefined;

  function leave(line: Line<Waiter>, waiter: Waiter): void {
    waiter.isOver = true;
    lines.leave(line, waiter);
  }

  async function serve(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      for (;;) {
        const now = clock.now();
        const line = lines.next(({ name, partitions }) => refusals.blocks(name, partitions, now));
        if (line === undefined) return;
        await askFor(line, firstOf(line).waiter);
      }
    } finally {
      isAsking = false;
      sleep();
    }
  }

  async function askFor(line: Line<Waiter>, waiter: Waiter): Promise<void> {
    let admission: Admission | Known;
    try {
      const answer = waiter.ask();
      admission = answer instanceof Promise ? await answer : answer;
    } catch (error) {
      if (!waiter.isOver) leave(line, waiter);
      return waiter.fail(error);
    }
    if (waiter.isOver) {
      // The waiter left while the store was asked.
      if (admission.admitted) await admission.end("nothing");
      return;
    }
    if (admission.admitted) {
      waiter.isOver = true;
      lines.served(line);
      return waiter.conclude(admission);
    }
    if (isKnown(admission)) {
      // It has taken nothing: its line keeps its turn.
      leave(line, waiter);
      return waiter.conclude(admission);
    }
    const now = clock.now();
    if (!mayHelp(admission, waiter.until - now)) {
      leave(line, waiter);
      return waiter.conclude(admission);
    }
    refusals.note(bindingOf(waiter, admission) ?? line.name, admission, now);
  }

  /** Sleeps until the first partition may admit again. */
  function sleep(): void {
    wake?.();
    wake = undefined;
    const now = clock.now();
    refusals.forgetPast(now);
    if (lines.size === 0) return;
    const next = refusals.first;
    if (Number.isFinite(next)) wake = later(clock, next - now, () => void serve());
  }

  /** At its deadline, a waiter asks the store once more, out of turn. */
  function askLate(line: Line<Waiter>, waiter: Waiter): void {
    if (waiter.isOver) return;
    leave(line, waiter);
    void Promise.resolve()
      .then(() => waiter.ask())
      .then(waiter.conclude, waiter.fail);
  }

  function giveUp(line: Line<Waiter>, waiter: Waiter, reason: unknown): void {
    if (waiter.isOver) return;
    leave(line, waiter);
    waiter.fail(reason);
    sleep();
  }

  return {
    freed() {
      if (refusals.forgetHolders()) void serve();
    },

    changed() {
      refusals.forgetAll();
      if (lines.size > 0) void serve();
    },

    wait(wanted, { maxWaitMs = usualWaitMs, signal }) {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const until = clock.now() + checkWholeNumber("maxWaitMs", maxWaitMs, 0, longestWaitMs);
        if (lines.size >= mostWaiting) throw full();
        const waiter: Waiter = {
          ...wanted,
          until,
          isOver: false,
          conclude(admission) {
            end();
            resolve(admission);
          },
          fail(error) {
            end();
            reject(error);
          },
        };
        const line = lines.enter(waiter);
        const isFirst = lines.isFirst(line, waiter);
        const stop = () => giveUp(line, waiter, signal?.reason);
        const forget =
          isFirst && maxWaitMs === 0 ? () => {} : later(clock, maxWaitMs, () => askLate(line, waiter));
        signal?.addEventListener("abort", stop, { once: true });
        function end(): void {
          forget();
          signal?.removeEventListener("abort", stop);
        }
        // A waiter behind others changes nothing.
        if (isFirst) void serve();
      });
    },
  };
}

/** Remembers until when partitions refuse. If it is not known which partition of a line refuses, the line's name is remembered. */
function createKnownRefusals() {
  const until = new Map<string, number>();
  /** The names that refuse until holders end. */
  const forHolders = new Set<string>();

  return {
    blocks(line: string, partitions: readonly string[], now: number): boolean {
      const refuses = (name: string) => (until.get(name) ?? 0) > now;
      return refuses(line) || partitions.some(refuses);
    },

    note(name: string, { retryAfterMs, waitsFor }: Refused, now: number): void {
      // Holders in other processes can end at any time, and this process is not notified.
      const waitMs = waitsFor === "holders" ? Math.min(retryAfterMs, holdersAgainMs) : retryAfterMs;
      until.set(name, now + Math.max(1, waitMs));
      if (waitsFor === "holders") forHolders.add(name);
    },

    /** When the first refusal ends; `Infinity` if there is none. */
    get first(): number {
      return Math.min(...until.values());
    },

    forgetPast(now: number): void {
      for (const [name, end] of until) {
        if (end > now) continue;
        until.delete(name);
        forHolders.delete(name);
      }
    },

    /** @returns whether any refusal was forgotten */
    forgetHolders(): boolean {
      if (forHolders.size === 0) return false;
      for (const name of forHolders) until.delete(name);
      forHolders.clear();
      return true;
    },

    forgetAll(): void {
      until.clear();
      forHolders.clear();
    },
  };
}

/** Whether the request may be admitted within this time. The wait for holders is an upper bound: they usually end sooner. */
function mayHelp({ reason, retryAfterMs, waitsFor, limits }: Refused, leftMs: number): boolean {
  if (reason === "cost-exceeds-quota" || leftMs <= 0) return false;
  if (waitsFor !== "holders") return retryAfterMs <= leftMs;
  return limits.every((limit) => limit.waitsFor === "holders" || limit.waitMs <= leftMs);
}

/** The partition with the longest wait; `undefined` if its layer did not apply when the wait began. */
function bindingOf({ layers, charges }: Wanted, { binding }: Refused): string | undefined {
  const charge = charges[layers.indexOf(binding.layer)];
  return charge && partitionOf(charge);
}

function full(): HeadgateError {
  return new HeadgateError(
    "queue-full",
    `${mostWaiting} requests are already waiting for this limiter. Refuse this one, or try again later.`,
  );
}
