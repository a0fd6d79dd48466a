/** A store did not answer in time. Whether it did what it was asked is not known yet. */
export class StoreTimeoutError extends Error {
  constructor(store: string, limitMs: number) {
    super(`The store "${store}" has not answered within ${limitMs} ms.`);
    this.name = "StoreTimeoutError";
  }
}

interface Waiting {
  readonly deadline: number;
  expire(): void;
}

/** Passes on what is answered in time, and rejects with a `StoreTimeoutError` what is not. */
export type TimeLimit = <T>(answer: Promise<T>) => Promise<T>;

/**
 * Rejects what has not been answered in time, with one timer for all calls: since all may take equally long, they
 * expire in the order in which they began. The timer runs only while something is being waited for.
 *
 * A process that was busy itself must not blame the store: before anything expires, answers that have arrived
 * meanwhile are read.
 *
 * @param limitMs by this machine's own monotonic time, not by the limiter's clock, which tests may stop.
 */
export function createTimeLimit(store: string, limitMs: number): TimeLimit {
  const waiting = new Set<Waiting>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function expire(): void {
    const now = performance.now();
    for (const one of waiting) {
      if (one.deadline > now) {
        clearTimeout(timer);
        timer = setTimeout(readFirst, Math.ceil(one.deadline - now));
        return;
      }
      waiting.delete(one);
      one.expire();
    }
    timer = undefined;
  }

  function readFirst(): void {
    afterReading(expire);
  }

  return (answer) =>
    new Promise((resolve, reject) => {
      const one: Waiting = {
        deadline: performance.now() + limitMs,
        expire: () => reject(new StoreTimeoutError(store, limitMs)),
      };
      waiting.add(one);
      timer ??= setTimeout(readFirst, limitMs);
      function end(): void {
        waiting.delete(one);
        if (waiting.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
      }
      answer.then(
        (value) => {
          end();
          resolve(value);
        },
        (error) => {
          end();
          reject(error);
        },
      );
    });
}

/** Node runs immediates after it has read what its sockets hold; elsewhere another timer comes close. */
const afterReading: (run: () => void) => void =
  typeof setImmediate === "function" ? (run) => setImmediate(run) : (run) => setTimeout(run, 0);
