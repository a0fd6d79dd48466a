import type { Admission, Refused } from "../core/admission.ts";
import type { Clock } from "../core/clock.ts";
import { HeadgateError } from "../core/errors.ts";
import type { Charge } from "../core/store.ts";
import { checkWholeNumber } from "../core/whole-number.ts";
import { later } from "./clock.ts";

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
  ask(): Admission | Promise<Admission>;
}

/** The callers that wait for a limiter. */
export interface WaitingRoom {
  /** Call this when something that this process held is free again. */
  freed(): void;
  /** Call this when limits have changed or counts were reset: remembered refusals are then out of date. */
  changed(): void;
  /**
   * @returns the admission, in turn; or the refusal if its wait exceeds `maxWaitMs`, or if no wait helps.
   * @throws HeadgateError `option-invalid` or `queue-full`; the signal's reason. Always as a rejection.
   */
  wait(wanted: Wanted, options: WaitOptions): Promise<Admission>;
}

const usualWaitMs = 60_000;
const longestWaitMs = 86_400_000;
/** How many may wait at once. */
export const mostWaiting = 1000;

/** How often a request that waits for holders is tried again, ms. */
const holdersAgainMs = 1000;

interface Waiter extends Wanted {
  readonly until: number;
  /** The sum of all units that it needs. */
  readonly weight: number;
  over: boolean;
  conclude(admission: Admission): void;
  fail(error: unknown): void;
}

/** The waiters with the same partitions, in order of arrival. */
interface Line {
  readonly partitions: readonly string[];
  readonly waiters: Waiter[];
  /** How many more units it may take in this round. */
  deficit: number;
}

/**
 * A fair queue. Within a line: first come, first served, whatever the cost. Between lines: deficit round robin
 * (Shreedhar and Varghese, 1995), so each line may take as many units as the others. A waiter is not tried while one of
 * its partitions is known to refuse, so the store is asked once for each admission and once for each wait.
 */
export function createWaitingRoom(clock: Clock): WaitingRoom {
  const lines = new Map<string, Line>();
  /** Until when each partition refuses. The key is the line's name if the refusing partition is not known. */
  const refusing = new Map<string, number>();
  /** The keys in `refusing` that wait for holders to end. */
  const forHolders = new Set<string>();
  let waiting = 0;
  let isAsking = false;
  let wake: (() => void) | undefined;
  /** The line whose turn it is. */
  let turn = 0;

  function isBlocked({ partitions }: Line, now: number): boolean {
    const refuses = (partition: string) => (refusing.get(partition) ?? 0) > now;
    return refuses(nameOf(partitions)) || partitions.some(refuses);
  }

  /** The next line that may be tried, by deficit round robin. */
  function nextLine(now: number): Line | undefined {
    const open = [...lines.values()].filter((line) => !isBlocked(line, now));
    if (open.length === 0) return undefined;
    const quantum = Math.max(1, Math.min(...open.map(weightOf)));
    for (;;) {
      for (let n = 0; n < open.length; n += 1) {
        const line = open[(turn + n) % open.length] as Line;
        if (line.deficit < weightOf(line)) continue;
        turn = (turn + n) % open.length;
        return line;
      }
      const rounds = Math.min(...open.map((line) => Math.ceil((weightOf(line) - line.deficit) / quantum)));
      for (const line of open) line.deficit += rounds * quantum;
    }
  }

  function leave(line: Line, waiter: Waiter): void {
    waiter.over = true;
    waiting -= 1;
    const place = line.waiters.indexOf(waiter);
    line.waiters.splice(place, 1);
    if (line.waiters.length === 0) lines.delete(nameOf(line.partitions));
  }

  async function serve(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      for (;;) {
        const now = clock.now();
        const line = nextLine(now);
        if (line === undefined) return;
        await askFor(line, line.waiters[0] as Waiter);
      }
    } finally {
      isAsking = false;
      sleep();
    }
  }

  async function askFor(line: Line, waiter: Waiter): Promise<void> {
    let admission: Admission;
    try {
      const answer = waiter.ask();
      admission = answer instanceof Promise ? await answer : answer;
    } catch (error) {
      if (!waiter.over) leave(line, waiter);
      return waiter.fail(error);
    }
    if (waiter.over) {
      // The waiter left during the call: refund the admission.
      if (admission.admitted) await admission.end("nothing");
      return;
    }
    if (admission.admitted) {
      line.deficit -= waiter.weight;
      leave(line, waiter);
      return waiter.conclude(admission);
    }
    const now = clock.now();
    if (!mayHelp(admission, waiter.until - now)) {
      leave(line, waiter);
      return waiter.conclude(admission);
    }
    const { retryAfterMs, waitsFor } = admission;
    // Holders may end at any time, and holders in other processes do not report it.
    const waitMs = waitsFor === "holders" ? Math.min(retryAfterMs, holdersAgainMs) : retryAfterMs;
    const refused = bindingOf(waiter, admission) ?? nameOf(line.partitions);
    refusing.set(refused, now + Math.max(1, waitMs));
    if (waitsFor === "holders") forHolders.add(refused);
  }

  /** Sleeps until the first partition may admit again. */
  function sleep(): void {
    wake?.();
    wake = undefined;
    const now = clock.now();
    for (const [partition, until] of refusing) {
      if (until > now) continue;
      refusing.delete(partition);
      forHolders.delete(partition);
    }
    if (lines.size === 0) return;
    const next = Math.min(...refusing.values());
    if (Number.isFinite(next)) wake = later(clock, next - now, () => void serve());
  }

  function enter(
    wanted: Wanted,
    until: number,
    resolve: (admission: Admission) => void,
    reject: (error: unknown) => void,
  ) {
    const partitions = wanted.charges.map(({ space, key }) => partitionOf(space, key));
    const name = nameOf(partitions);
    let line = lines.get(name);
    if (line === undefined) {
      line = { partitions, waiters: [], deficit: 0 };
      lines.set(name, line);
    }
    const weight = Math.max(
      1,
      ...wanted.charges.map(({ needs }) => needs.reduce((sum, need) => sum + need, 0)),
    );
    const waiter: Waiter = { ...wanted, until, weight, over: false, conclude: resolve, fail: reject };
    line.waiters.push(waiter);
    waiting += 1;
    return { line, waiter };
  }

  return {
    freed() {
      if (forHolders.size === 0) return;
      for (const partition of forHolders) refusing.delete(partition);
      forHolders.clear();
      void serve();
    },

    changed() {
      refusing.clear();
      forHolders.clear();
      if (lines.size > 0) void serve();
    },

    wait(wanted, { maxWaitMs = usualWaitMs, signal }) {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const until = clock.now() + checkWholeNumber("maxWaitMs", maxWaitMs, 0, longestWaitMs);
        if (waiting >= mostWaiting) throw full();
        const { line, waiter } = enter(wanted, until, resolve, reject);

        const stop = () => {
          if (waiter.over) return;
          leave(line, waiter);
          waiter.fail(signal?.reason);
          sleep();
        };
        // A waiter behind others is tried one last time at its deadline, out of turn.
        const late = () => {
          if (waiter.over) return;
          leave(line, waiter);
          void Promise.resolve()
            .then(() => waiter.ask())
            .then(waiter.conclude, waiter.fail);
        };
        const isFirst = line.waiters[0] === waiter;
        const forget = isFirst && maxWaitMs === 0 ? () => {} : later(clock, maxWaitMs, late);
        signal?.addEventListener("abort", stop, { once: true });
        const end = () => {
          forget();
          signal?.removeEventListener("abort", stop);
        };
        waiter.conclude = (admission) => {
          end();
          resolve(admission);
        };
        waiter.fail = (error) => {
          end();
          reject(error);
        };
        // A waiter behind others does not change which waiter is next.
        if (isFirst) void serve();
      });
    },
  };
}

function weightOf({ waiters }: Line): number {
  return (waiters[0] as Waiter).weight;
}

function mayHelp({ reason, retryAfterMs }: Refused, leftMs: number): boolean {
  return reason !== "cost-exceeds-quota" && retryAfterMs <= leftMs;
}

/** The partition with the longest wait; `undefined` if its layer did not apply when the wait began. */
function bindingOf({ layers, charges }: Wanted, { binding }: Refused): string | undefined {
  const charge = charges[layers.indexOf(binding.layer)];
  return charge && partitionOf(charge.space, charge.key);
}

function partitionOf(space: string, key: string): string {
  return JSON.stringify([space, key]);
}

function nameOf(partitions: readonly string[]): string {
  return partitions.join();
}

function full(): HeadgateError {
  return new HeadgateError(
    "queue-full",
    `${mostWaiting} requests are already waiting for this limiter. Refuse this one, or try again later.`,
  );
}
