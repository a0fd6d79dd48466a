import { isWorker } from "../core/runtime.ts";

/** A store did not answer in time. It is not known yet whether it carried out the call. */
export class StoreTimeoutError extends Error {
  constructor(store: string, limitMs: number) {
    super(`The store "${store}" has not answered within ${limitMs} ms.`);
    this.name = "StoreTimeoutError";
  }
}

class Waiting {
  /** In attended time; `Infinity` until the end of the event loop turn in which the call began. */
  deadline = Number.POSITIVE_INFINITY;
  /** In real time. */
  latest = Number.POSITIVE_INFINITY;
  /**
   * `undefined` once the call has been answered or has expired: the queue keeps up to a thousand calls for longer, and
   * would keep all that belongs to them.
   */
  fail: ((error: unknown) => void) | undefined = undefined;
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
  /** One array for all calls, because an old array that is given up keeps its entries until the next full collection. */
  const line: Waiting[] = [];
  /** All calls before this index are settled. */
  let first = 0;
  /** How many calls are pending. */
  let left = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether calls began in this turn. They are the last ones, and have no deadline yet. */
  let isBeginning = false;

  /** When the process must handle an event, if it is not busy. */
  let dueAt = Number.POSITIVE_INFINITY;
  let busyMs = 0;

  const lateMs = () => Math.max(0, performance.now() - dueAt);
  // The time without `lateMs`, by one reading of the clock: every decision passes here twice.
  const attended = () => Math.min(performance.now(), dueAt) - busyMs;

  function expectIn(ms: number): void {
    busyMs += lateMs();
    dueAt = performance.now() + ms + slackMs;
  }

  function setTimer(ms: number): void {
    expectIn(ms);
    timer = setTimeout(look, ms);
  }

  function begin(one: Waiting): void {
    line.push(one);
    left += 1;
    if (isBeginning) return;
    isBeginning = true;
    afterReading(start);
  }

  function start(): void {
    isBeginning = false;
    if (left === 0) return;
    const deadline = attended() + limitMs;
    const latest = performance.now() + longestInLimits * limitMs;
    for (let i = line.length - 1; i >= 0; i -= 1) {
      const one = line[i] as Waiting;
      if (one.deadline !== Number.POSITIVE_INFINITY) break;
      one.deadline = deadline;
      one.latest = latest;
    }
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
      while ((line[first] as Waiting).fail === undefined) first += 1;
      const { deadline, latest, fail } = line[first] as Waiting;
      if (deadline === Number.POSITIVE_INFINITY) return;
      const leftMs = Math.min(deadline - now, latest - realNow);
      if (leftMs > 0) {
        setTimer(Math.min(lookEveryMs, Math.ceil(leftMs)));
        return;
      }
      fail?.(new StoreTimeoutError(store, limitMs));
    }
  }

  function look(): void {
    timer = undefined;
    expectIn(left > 0 ? 0 : Number.POSITIVE_INFINITY);
    if (left > 0) afterReading(expire);
  }

  function end(one: Waiting): void {
    one.fail = undefined;
    left -= 1;
    if (line.length > 2 * left + mostPast) compact();
    if (left === 0) rest();
  }

  function compact(): void {
    let kept = 0;
    for (const one of line) {
      if (one.fail === undefined) continue;
      line[kept] = one;
      kept += 1;
    }
    line.length = kept;
    first = 0;
  }

  const inTime = <Answer, Result>(
    answer: Promise<Answer>,
    answered: (value: Answer) => Result = unchanged,
    failed: (error: unknown) => Result = rethrow,
  ) =>
    new Promise<Result>((resolve, reject) => {
      const one = new Waiting();
      const fail = (error: unknown): void => {
        if (one.fail === undefined) return;
        end(one);
        pass(failed, error, resolve, reject);
      };
      one.fail = fail;
      begin(one);
      answer.then((value) => {
        if (one.fail === undefined) return;
        end(one);
        pass(answered, value, resolve, reject);
      }, fail);
    });
  return Object.assign(inTime, { attended });
}

/** Node runs immediates after it has read its sockets; in other runtimes a second timer does nearly the same. */
const afterReading: (run: () => void) => void =
  typeof setImmediate === "function" ? (run) => setImmediate(run) : (run) => setTimeout(run, 0);
