import { Pool, type PoolClient, type PoolConfig } from "pg";
import { DatabaseBusyError } from "../database-trouble.ts";

/** The most requests that wait for a connection. Each takes about a millisecond, so more would wait in vain. */
export const MOST_WAITING = 4_000;

/** How long the pool counts as busy after a refusal. */
const BUSY_MS = 5_000;

/** How often the waits are checked. A check that comes later than this shows that the process itself was busy. */
const LOOK_EVERY_MS = 50;

/** The message of the pool. */
const CONNECT_TIMEOUT = "Connection terminated due to connection timeout";
const NO_ANSWER = "Query read timeout: no connection became free";

type Taken = (error: Error | undefined, client: PoolClient | undefined, done: () => void) => void;

interface Waiting {
  /** In attended time. */
  since: number;
  progressBefore: number;
  take: Taken;
}

/**
 * Lets requests wait for a free connection in order of arrival, and distinguishes a wait that took too long, which is
 * an overload, from a database that does not answer. It does not answer if no connection became free during a whole
 * wait. Time in which this process was too busy to read answers does not count.
 */
export class RequestPool extends Pool {
  readonly #max: number;
  readonly #longestMs: number;
  readonly #mostWaiting: number;
  readonly #queue = new Set<Waiting>();
  /** How many connections are in use, or being opened. */
  #inUse = 0;
  /** How many times a connection was handed out or given back. */
  #progress = 0;
  #attendedMs = 0;
  #lookedAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #refusedAt = Number.NEGATIVE_INFINITY;

  /** @param options `connectionTimeoutMillis` also limits the wait for a free connection */
  constructor(options: PoolConfig, mostWaiting = MOST_WAITING) {
    super(options);
    this.#max = options.max ?? 10;
    this.#longestMs = options.connectionTimeoutMillis ?? 5_000;
    this.#mostWaiting = mostWaiting;
    this.on("release", (error) => {
      this.#inUse -= 1;
      if (!error) this.#progress += 1;
      // The pool has the connection back in the next step.
      queueMicrotask(() => this.#serve());
    });
  }

  /** Whether a request was refused within the last seconds because all connections were in use. */
  get isBusy(): boolean {
    return performance.now() - this.#refusedAt < BUSY_MS;
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Taken): void;
  override connect(callback?: Taken): Promise<PoolClient> | undefined {
    if (callback !== undefined) {
      this.#wait(callback);
      return;
    }
    return new Promise((resolve, reject) => {
      this.#wait((error, client) => (client ? resolve(client) : reject(error)));
    });
  }

  #wait(take: Taken): void {
    if (this.#queue.size >= this.#mostWaiting) {
      refuse(take, this.#busy());
      return;
    }
    this.#queue.add({ since: this.#attendedMs, progressBefore: this.#progress, take });
    this.#serve();
  }

  /** Gives free connections to those who have waited longest. */
  #serve(): void {
    for (const waiting of this.#queue) {
      if (this.#inUse >= this.#max) break;
      this.#queue.delete(waiting);
      this.#inUse += 1;
      super.connect((error, client, done) => {
        if (!error) this.#progress += 1;
        else this.#inUse -= 1;
        // A database that answers others is not down, but slow to open connections.
        const isBusy = error?.message === CONNECT_TIMEOUT && this.#isAnswering(waiting);
        waiting.take(isBusy ? this.#busy() : error, client, done);
        // In a step of its own: a closed pool fails each request at once, and one after another they would fill the stack.
        if (error) queueMicrotask(() => this.#serve());
      });
    }
    this.#watch();
  }

  /** Keeps a timer while anybody waits. */
  #watch(): void {
    const isNeeded = this.#inUse > 0 || this.#queue.size > 0;
    if (isNeeded && this.#timer === undefined) {
      this.#lookedAt = performance.now();
      this.#timer = setInterval(() => this.#endLongWaits(), LOOK_EVERY_MS);
      this.#timer.unref();
    } else if (!isNeeded) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #endLongWaits(): void {
    const now = performance.now();
    // At most as much as passes between two looks of an idle process.
    this.#attendedMs += Math.min(now - this.#lookedAt, LOOK_EVERY_MS);
    this.#lookedAt = now;
    for (const waiting of this.#queue) {
      if (this.#attendedMs - waiting.since < this.#longestMs) break;
      this.#queue.delete(waiting);
      refuse(waiting.take, this.#isAnswering(waiting) ? this.#busy() : new Error(NO_ANSWER));
    }
    this.#watch();
  }

  #isAnswering({ progressBefore }: Waiting): boolean {
    return this.#progress > progressBefore;
  }

  #busy(): DatabaseBusyError {
    this.#refusedAt = performance.now();
    return new DatabaseBusyError();
  }
}

function refuse(take: Taken, error: Error): void {
  take(error, undefined, () => {});
}
