import type { Clock } from "../core/clock.ts";
import type { Signer } from "./signature.ts";

export interface DeliveryOptions<Item> {
  readonly url: URL;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** @param dropped how many have been dropped since the last message. */
  readonly bodyOf: (items: readonly Item[], dropped: number) => unknown;
  readonly onError: (error: unknown) => void;
}

/** Items on their way to a receiver. Adding one never waits. */
export interface Delivery<Item> {
  add(item: Item): void;
  readonly waiting: number;
  readonly sent: number;
  readonly dropped: number;
  /** Sends what waits now, without the pauses between attempts. Never rejects. */
  close(): Promise<void>;
}

/** Items are gathered for so long, ms: a burst is one message. */
const gatherMs = 1000;
/** Items of one message. */
const mostTogether = 100;
/** Items that wait for their message. */
const mostWaiting = 1000;
/** The pauses before each further attempt, ms. */
const pausesMs = [2000, 10_000, 60_000, 300_000];
/** How long a receiver may take, ms. */
const timeoutMs = 10_000;

/**
 * Sends items in messages, one after another, at most one a second. A message that is not taken is sent again with the same id, so
 * that a receiver can tell it has it already; after the last attempt it is dropped.
 */
export function createDelivery<Item>(options: DeliveryOptions<Item>): Delivery<Item> {
  const { url, signer, clock, bodyOf, onError } = options;
  let items: Item[] = [];
  let sent = 0;
  let dropped = 0;
  let droppedBefore = 0;
  let stopTimer: (() => void) | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;
  /** Ends the pause between two attempts. */
  let hurry: (() => void) | undefined;

  function drop(count: number): void {
    dropped += count;
    droppedBefore += count;
  }

  function schedule(): void {
    if (stopTimer !== undefined || sending !== undefined || closed) return;
    stopTimer = clock.after?.(gatherMs, () => {
      stopTimer = undefined;
      begin();
    });
  }

  function begin(): void {
    sending = sendSome().finally(() => {
      sending = undefined;
      if (items.length > 0) schedule();
    });
  }

  async function sendSome(): Promise<void> {
    const some = items.slice(0, mostTogether);
    items = items.slice(some.length);
    const told = droppedBefore;
    const id = `msg_${crypto.randomUUID().replaceAll("-", "")}`;
    const body = JSON.stringify(bodyOf(some, told));
    let failure: unknown;
    for (let attempt = 0; attempt <= pausesMs.length; attempt += 1) {
      if (attempt > 0) {
        if (closed) break;
        await pause(pausesMs[attempt - 1] as number);
      }
      try {
        await post(id, body);
        sent += some.length;
        droppedBefore -= told;
        return;
      } catch (error) {
        failure = error;
        if (isFinal(error)) break;
      }
    }
    drop(some.length);
    onError(
      new Error(`The webhook at ${url.host} did not take a message, and ${some.length} notices are lost.`, {
        cause: failure,
      }),
    );
  }

  async function post(id: string, body: string): Promise<void> {
    const at = Math.floor(clock.now() / 1000);
    const response = await options.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(await signer.sign(id, at, body)) },
      body,
      // A receiver that has moved must be named anew: what is sent names callers.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    // What it says is not read: it might not end.
    await response.body?.cancel().catch(() => {});
    if (!response.ok) throw new StatusError(response.status);
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = clock.after?.(ms, resolve);
      hurry = () => {
        stop?.();
        resolve();
      };
    });
  }

  return {
    add(item) {
      if (closed || items.length >= mostWaiting) {
        drop(1);
        return;
      }
      items.push(item);
      schedule();
    },
    get waiting() {
      return items.length;
    },
    get sent() {
      return sent;
    },
    get dropped() {
      return dropped;
    },
    async close() {
      if (closed) return sending;
      closed = true;
      stopTimer?.();
      hurry?.();
      await sending;
      const lost = dropped;
      while (items.length > 0 && dropped === lost) await sendSome();
      // It does not answer: closing waits for one message at most.
      drop(items.length);
      items = [];
    },
  };
}

class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`It answered ${status}.`);
    this.status = status;
  }
}

/** Whether it would be refused again: the receiver does not want it. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  const { status } = error;
  return status < 500 && status !== 408 && status !== 425 && status !== 429;
}
