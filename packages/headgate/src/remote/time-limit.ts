import { isWorker } from "../core/runtime.ts";

/** A store did not answer in time. It is not known yet whether it carried out the call. */
export class StoreTimeoutError extends Error {
  constructor(store: string, limitMs: number) {
    super(`The store "${store}" has not answered within ${limitMs} ms.`);
    this.name = "StoreTimeoutError";
  }
}

interface Waiting {
  /** In attended time; `Infinity` until the end of the event loop turn in which the call began. */
  deadline: number;
  /** In real time. */
  latest: number;
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
  /** Milliseconds, from any start. Stands still while calls are pending and this process is too busy to read answers. */
  attended(): number;
}

/** A call expires after this many time limits, even if this process was too busy to read its answer. */
export const longestInLimits = 20;

/** Compact once settled entries exceed 2 × pending + this: removing them one by one would take longer. */
const mostPast = 1024;

/** How often the timer shows whether this process is busy, ms, and how late it may be if the process is not. */
const [lookEveryMs, slackMs] = [25, 5];

/**
 * Rejects calls that are not answered in time, with one timer for all calls. All calls have the same time limit, so they
 * expire in the order in which they began, and are kept in a queue. The timer keeps a process alive only while calls are
 * pending. It is not set again for each call, and may fire once after the last one.
 *
 * If this process itself was busy, the store must not be blamed. Time therefore counts from the end of the turn in which
 * a call began, because calls of one turn are sent together. Answers that have arrived are read before a call expires.
 * The time by which the timer is late does not count: an answer may need several turns, such as that of a new connection.
 *
 * @param limitMs by this machine's own monotonic time, not by the limiter's clock, which tests may stop.
 */
export function createTimeLimit(store: string, limitMs: number): TimeLimit {
  return isWorker ? timeLimitOfEach(store, limitMs) : timeLimitOfAll(store, limitMs);
}

/** A timer for each call: in a Worker a timer ends with the request that set it. */
function timeLimitOfEach(store: string, limitMs: number): TimeLimit {
  const inTime = <Answer, Result>(
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
  return Object.assign(inTime, { attended: () => performance.now() });
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

  /** When the process must handle an event, if it is not busy. */
  let dueAt = Number.POSITIVE_INFINITY;
  let busyMs = 0;

  const lateMs = () => Math.max(0, performance.now() - dueAt);
  const attended = () => performance.now() - busyMs - lateMs();

  function expectIn(ms: number): void {
    busyMs += lateMs();
    dueAt = performance.now() + ms + slackMs;
  }

  function setTimer(ms: number): void {
    expectIn(ms);
    timer = setTimeout(look, ms);
  }

  function begin(one: Waiting): void {
    begun.push(one);
    if (begun.length === 1) afterReading(start);
  }

  function start(): void {
    const deadline = attended() + limitMs;
    const latest = performance.now() + longestInLimits * limitMs;
    for (const one of begun) {
      one.deadline = deadline;
      one.latest = latest;
    }
    begun = [];
    if (left === 0) return;
    if (timer === undefined) setTimer(Math.min(lookEveryMs, limitMs));
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
    expectIn(Number.POSITIVE_INFINITY);
  }

  function expire(): void {
    // Another timer may have been set since this one fired.
    clearTimeout(timer);
    timer = undefined;
    expectIn(Number.POSITIVE_INFINITY);
    const [now, realNow] = [attended(), performance.now()];
    while (left > 0) {
      while (line[first]?.isOver) first += 1;
      const { deadline, latest, fail } = line[first] as Waiting;
      if (deadline === Number.POSITIVE_INFINITY) return;
      const leftMs = Math.min(deadline - now, latest - realNow);
      if (leftMs > 0) {
        setTimer(Math.min(lookEveryMs, Math.ceil(leftMs)));
        return;
      }
      fail(new StoreTimeoutError(store, limitMs));
    }
  }

  function look(): void {
    timer = undefined;
    expectIn(left > 0 ? 0 : Number.POSITIVE_INFINITY);
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

  const inTime = <Answer, Result>(
    answer: Promise<Answer>,
    answered: (value: Answer) => Result = unchanged,
    failed: (error: unknown) => Result = rethrow,
  ) =>
    new Promise<Result>((resolve, reject) => {
      const one: Waiting = {
        deadline: Number.POSITIVE_INFINITY,
        latest: Number.POSITIVE_INFINITY,
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
  return Object.assign(inTime, { attended });
}

/** Node runs immediates after it has read its sockets; in other runtimes a second timer does nearly the same. */
const afterReading: (run: () => void) => void =
  typeof setImmediate === "function" ? (run) => setImmediate(run) : (run) => setTimeout(run, 0);
