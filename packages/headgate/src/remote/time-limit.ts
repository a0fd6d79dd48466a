import { isWorker } from "../core/runtime.ts";

/** A store did not answer in time. It is not known yet whether it carried out the call. */
export class StoreTimeoutError extends Error {
  constructor(store: string, limitMs: number) {
    super(`The store "${store}" has not answered within ${limitMs} ms.`);
    this.name = "StoreTimeoutError";
  }
}

interface Waiting {
  /** `Infinity` until the end of the event loop turn in which the call began. */
  deadline: number;
  /** Whether it has been answered, or has expired. */
  isOver: boolean;
  fail(error: unknown): void;
}

/** Limits the time of a call. A call that is not answered in time rejects with a `StoreTimeoutError`. */
export interface TimeLimit {
  <Answer>(answer: Promise<Answer>): Promise<Answer>;
  /**
   * The same as `then(answered, failed)` on the result, with one promise less.
   *
   * @param answered called with an answer in time.
   * @param failed called with an error in time, or with the `StoreTimeoutError`.
   */
  <Answer, Result>(
    answer: Promise<Answer>,
    answered: (value: Answer) => Result,
    failed: (error: unknown) => Result,
  ): Promise<Result>;
}

/** Compact once settled entries exceed 2 × pending + this: removing them one by one would take longer. */
const mostPast = 1024;

/**
 * Rejects calls that are not answered in time, with one timer for all calls. All calls have the same time limit, so they
 * expire in the order in which they began, and are kept in a queue. The timer keeps a process alive only while calls are
 * pending. It is not set again for each call, and may fire once after the last one.
 *
 * If this process itself was busy, the store must not be blamed. Time therefore counts from the end of the turn in which
 * a call began, because calls of one turn are sent together. Answers that have arrived are read before a call expires.
 *
 * @param limitMs by this machine's own monotonic time, not by the limiter's clock, which tests may stop.
 */
export function createTimeLimit(store: string, limitMs: number): TimeLimit {
  return isWorker ? timeLimitOfEach(store, limitMs) : timeLimitOfAll(store, limitMs);
}

/** A timer for each call: in a Worker a timer ends with the request that set it. */
function timeLimitOfEach(store: string, limitMs: number): TimeLimit {
  return <Answer, Result>(
    answer: Promise<Answer>,
    answered: (value: Answer) => Result = unchanged,
    failed: (error: unknown) => Result = rethrow,
  ) =>
    new Promise<Result>((resolve, reject) => {
      let isOver = false;
      const end = <Value>(go: (value: Value) => Result, value: Value) => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        pass(go, value, resolve, reject);
      };
      const fail = (error: unknown) => end(failed, error);
      const timer = setTimeout(() => fail(new StoreTimeoutError(store, limitMs)), limitMs);
      answer.then((value) => end(answered, value), fail);
    });
}

function unchanged(value: unknown): never {
  return value as never;
}

function rethrow(error: unknown): never {
  throw error;
}

function pass<Value, Result>(
  go: (value: Value) => Result,
  value: Value,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): void {
  let result: Result;
  try {
    result = go(value);
  } catch (error) {
    reject(error);
    return;
  }
  resolve(result);
}

function timeLimitOfAll(store: string, limitMs: number): TimeLimit {
  let line: Waiting[] = [];
  /** All calls before this index are settled. */
  let first = 0;
  /** How many calls are pending. */
  let left = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The calls that began in this turn. */
  let begun: Waiting[] = [];

  function begin(one: Waiting): void {
    begun.push(one);
    if (begun.length === 1) afterReading(start);
  }

  function start(): void {
    const deadline = performance.now() + limitMs;
    for (const one of begun) one.deadline = deadline;
    begun = [];
    if (left === 0) return;
    if (timer === undefined) timer = setTimeout(readFirst, limitMs);
    else if (typeof timer === "object") timer.ref();
  }

  /** Keeps the timer for reuse if possible: setting one is the slowest step here. */
  function rest(): void {
    if (typeof timer === "object") {
      timer.unref();
      return;
    }
    // In some runtimes timers cannot be unreferenced.
    clearTimeout(timer);
    timer = undefined;
  }

  function expire(): void {
    const now = performance.now();
    // Another timer may have been set since this one fired.
    clearTimeout(timer);
    timer = undefined;
    while (left > 0) {
      while (line[first]?.isOver) first += 1;
      const { deadline, fail } = line[first] as Waiting;
      if (deadline === Number.POSITIVE_INFINITY) return;
      if (deadline > now) {
        timer = setTimeout(readFirst, Math.ceil(deadline - now));
        return;
      }
      fail(new StoreTimeoutError(store, limitMs));
    }
  }

  function readFirst(): void {
    timer = undefined;
    if (left > 0) afterReading(expire);
  }

  function end(one: Waiting): void {
    one.isOver = true;
    left -= 1;
    if (left > 0 && line.length <= 2 * left + mostPast) return;
    first = 0;
    if (left > 0) {
      line = line.filter(({ isOver }) => !isOver);
      return;
    }
    line = [];
    rest();
  }

  return <Answer, Result>(
    answer: Promise<Answer>,
    answered: (value: Answer) => Result = unchanged,
    failed: (error: unknown) => Result = rethrow,
  ) =>
    new Promise<Result>((resolve, reject) => {
      const one: Waiting = {
        deadline: Number.POSITIVE_INFINITY,
        isOver: false,
        fail(error) {
          if (one.isOver) return;
          end(one);
          pass(failed, error, resolve, reject);
        },
      };
      line.push(one);
      left += 1;
      begin(one);
      answer.then((value) => {
        if (one.isOver) return;
        end(one);
        pass(answered, value, resolve, reject);
      }, one.fail);
    });
}

/** Node runs immediates after it has read its sockets; in other runtimes a second timer does nearly the same. */
const afterReading: (run: () => void) => void =
  typeof setImmediate === "function" ? (run) => setImmediate(run) : (run) => setTimeout(run, 0);
