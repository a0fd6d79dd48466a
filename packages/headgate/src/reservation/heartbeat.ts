import type { Clock } from "../core/clock.ts";
import type { Ledger } from "../core/ruling.ts";
import { isWorker } from "../core/runtime.ts";
import type { Adjustment } from "../core/store.ts";
import type { Book } from "./book.ts";
import type { Part } from "./part.ts";

/** Keeps holds alive while their reservations are in use. */
export interface Heartbeat {
  /**
   * @param owner the object that reports and ends the reservation. Once it is garbage-collected, the reservation is
   *   ended as fully used.
   */
  add(book: Book, owner: WeakRef<object>): void;
  remove(book: Book): void;
  /** How many reservations hold something. */
  readonly size: number;
  /** Renews all holds, in one call per ledger. The timer calls it; tests call it directly. */
  beat(): Promise<void>;
  stop(): void;
}

/** How often a hold is renewed within its lease: two beats may be lost before it lapses. */
const beatsPerLease = 3;
const longestIntervalMs = 60_000;
/** About a day of heartbeats at the default lease. */
const mostInAJump = 10_000;
/** The most adjustments in one call. */
const mostTogether = 256;

interface Beat {
  readonly book: Book;
  readonly part: Part;
  readonly adjustments: Adjustment[];
  readonly version: number;
}

/**
 * One timer per limiter, and only while something is held. In a Worker one timer per reservation, because timers end
 * with their request.
 *
 * @param clock its timers are used, if it has any.
 */
export function createHeartbeat(clock: Clock, report: (error: unknown) => void): Heartbeat {
  return isWorker ? heartbeatOfEach(clock, report) : heartbeatOfAll(clock, report);
}

function heartbeatOfEach(clock: Clock, report: (error: unknown) => void): Heartbeat {
  const heartbeats = new Map<Book, Heartbeat>();

  return {
    async beat() {
      await Promise.all([...heartbeats.values()].map((heartbeat) => heartbeat.beat()));
    },

    stop() {
      for (const heartbeat of heartbeats.values()) heartbeat.stop();
      heartbeats.clear();
    },

    get size() {
      return heartbeats.size;
    },

    remove(book) {
      heartbeats.get(book)?.remove(book);
      heartbeats.delete(book);
    },

    add(book, owner) {
      const heartbeat = heartbeatOfAll(clock, report);
      heartbeat.add(book, owner);
      heartbeats.set(book, heartbeat);
    },
  };
}

function heartbeatOfAll(clock: Clock, report: (error: unknown) => void): Heartbeat {
  const owners = new Map<Book, WeakRef<object>>();
  let callOff = () => {};
  let intervalMs = Number.POSITIVE_INFINITY;

  function stop(): void {
    callOff();
    callOff = () => {};
    intervalMs = Number.POSITIVE_INFINITY;
  }

  function start(ms: number): void {
    callOff();
    intervalMs = ms;
    callOff = every(clock, ms, () => void beat().catch(report));
  }

  async function beat(): Promise<void> {
    const byLedger = new Map<Ledger, Beat[]>();
    const ending: (void | Promise<void>)[] = [];
    for (const [book, owner] of owners) {
      // A lost reservation that was never ended cannot say what it used, so all of it is charged.
      if (owner.deref() === undefined) ending.push(book.end(undefined, { done: false }));
      if (!book.holds) {
        owners.delete(book);
        continue;
      }
      for (const { ledger, ...one } of book.beat()) {
        const beats = byLedger.get(ledger) ?? [];
        beats.push({ book, ...one });
        byLedger.set(ledger, beats);
      }
    }
    if (owners.size === 0) stop();
    const calls = [...byLedger].flatMap(([ledger, beats]) =>
      inBatches(beats).map((one) => send(ledger, one)),
    );
    await Promise.all([...ending, ...calls]);
  }

  async function send(ledger: Ledger, beats: readonly Beat[]): Promise<void> {
    for (const { part } of beats) part.isAsked = true;
    try {
      const answer = ledger.adjust(
        beats.flatMap(({ adjustments }) => adjustments),
        clock.now(),
      );
      const outcome = answer instanceof Promise ? await answer : answer;
      let from = 0;
      for (const { book, part, adjustments, version } of beats) {
        const upto = from + adjustments.length;
        const readings = outcome.readings.slice(from, upto);
        const marks = outcome.marks.slice(from, upto);
        book.acknowledged(part, adjustments, version, { ...outcome, readings, marks });
        from = upto;
      }
    } catch (error) {
      for (const { book, part } of beats) book.missed(part, error);
    }
  }

  return {
    beat,
    stop,

    get size() {
      return owners.size;
    },

    remove(book) {
      if (owners.delete(book) && owners.size === 0) stop();
    },

    add(book, owner) {
      owners.set(book, owner);
      const wanted = Math.max(1, Math.min(longestIntervalMs, Math.floor(book.leaseMs / beatsPerLease)));
      if (wanted < intervalMs) start(wanted);
    },
  };
}

/**
 * Calls `run` every `ms` milliseconds, by the clock's timers or else the runtime's. If the clock jumps, it runs once
 * for each interval in the jump, up to 10,000 times. After that the intervals double until the jump is over.
 *
 * @returns a function that stops it
 */
function every(clock: Clock, ms: number, run: () => void): () => void {
  const after = clock.after?.bind(clock);
  if (after === undefined) {
    const timer = setInterval(run, ms);
    // The heartbeat must not keep the process alive.
    if (typeof timer === "object" && "unref" in timer) timer.unref();
    return () => clearInterval(timer);
  }
  let cancel: () => void;
  /** Calls since the last turn of the event loop. */
  let inAJump = 0;
  let cancelled = false;

  const wait = () => {
    cancel = after(ms * 2 ** Math.max(0, inAJump - mostInAJump), () => {
      if (inAJump === 0) queueMicrotask(land);
      inAJump += 1;
      wait();
      run();
    });
  };

  const land = () => {
    const hasDoubled = inAJump > mostInAJump;
    inAJump = 0;
    if (!hasDoubled || cancelled) return;
    cancel();
    wait();
  };

  wait();
  return () => {
    cancelled = true;
    cancel();
  };
}

function inBatches(beats: readonly Beat[]): Beat[][] {
  const batches: Beat[][] = [];
  let count = mostTogether;
  for (const beat of beats) {
    if (count + beat.adjustments.length > mostTogether) {
      batches.push([]);
      count = 0;
    }
    batches.at(-1)?.push(beat);
    count += beat.adjustments.length;
  }
  return batches;
}
