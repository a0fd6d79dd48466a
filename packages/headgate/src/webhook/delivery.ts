import type { Clock } from "../core/clock.ts";
import type { Signer } from "./signature.ts";

export interface DeliveryOptions<Item> {
  readonly url: URL;
  readonly signer: Signer;
  readonly clock: Clock & Required<Pick<Clock, "after">>;
  /** The wall clock, in ms since 1970. Receivers reject messages whose time differs from their own by minutes. */
  readonly wallNow: () => number;
  readonly fetch: typeof fetch;
  /** @param dropped how many items have been dropped since the last message. */
  readonly bodyOf: (items: readonly Item[], dropped: number) => unknown;
  readonly onError: (error: unknown) => void;
}

/** Items on their way to a receiver. `add` never waits. */
export interface Delivery<Item> {
  add(item: Item): void;
  readonly waiting: number;
  readonly sent: number;
  readonly dropped: number;
  /** Sends the waiting items now, without pauses between attempts, for up to 5 seconds. Never rejects. */
  close(): Promise<void>;
}

/** How long items are collected for one message, ms. */
const gatherMs = 1000;
/** The maximum number of items in one message. */
const mostTogether = 100;
/** The maximum number of bytes of items in one message: many receivers accept bodies of up to 100 kB. */
const mostBytes = 60_000;
/** The maximum number of items that wait. */
const mostWaiting = 1000;
/** The pauses before the second and each further attempt, ms. */
const pausesMs = [2000, 10_000, 60_000, 300_000];
/** How long a receiver may take, ms. */
const timeoutMs = 10_000;
/** How long closing may take, ms: a process that is being stopped gets only seconds. */
const closeMs = 5000;

const encoder = new TextEncoder();

/**
 * Sends items in messages, one after another, at most one a second. A failed message is sent again with the same id, so
 * that a receiver can recognize a duplicate. After the last attempt, the message is dropped.
 */
export function createDelivery<Item>(options: DeliveryOptions<Item>): Delivery<Item> {
  const { url, signer, clock, wallNow, bodyOf, onError } = options;
  const items: Item[] = [];
  let sent = 0;
  let dropped = 0;
  let droppedBefore = 0;
  let stopTimer: (() => void) | undefined;
  let sending: Promise<boolean> | undefined;
  let closing: Promise<void> | undefined;
  /** The current request. */
  let current: AbortController | undefined;
  /** Ends the pause between two attempts. */
  let hurry: (() => void) | undefined;

  function drop(count: number): void {
    dropped += count;
    droppedBefore += count;
  }

  function giveUp(count: number, why: string, cause?: unknown): void {
    drop(count);
    onError(
      new Error(
        `The webhook at ${url.host} ${why}, and ${count} ${count === 1 ? "notice is" : "notices are"} lost.`,
        { cause },
      ),
    );
  }

  function schedule(): void {
    if (stopTimer !== undefined || sending !== undefined || closing !== undefined) return;
    stopTimer = clock.after(gatherMs, () => {
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

  /** Removes and returns the items of the next message. */
  function take(): Item[] {
    let count = 0;
    let bytes = 0;
    for (const item of items.slice(0, mostTogether)) {
      bytes += encoder.encode(JSON.stringify(item)).length;
      if (count > 0 && bytes > mostBytes) break;
      count += 1;
    }
    return items.splice(0, count);
  }

  /** @returns whether the receiver accepted the message. */
  async function sendSome(): Promise<boolean> {
    const some = take();
    const reportedDrops = droppedBefore;
    const id = `msg_${crypto.randomUUID().replaceAll("-", "")}`;
    const body = JSON.stringify(bodyOf(some, reportedDrops));
    let failure: unknown;
    for (let attempt = 0; attempt <= pausesMs.length; attempt += 1) {
      if (attempt > 0) {
        if (closing !== undefined) break;
        await pause(pausesMs[attempt - 1] as number);
      }
      try {
        await post(id, body);
        sent += some.length;
        droppedBefore -= reportedDrops;
        return true;
      } catch (error) {
        failure = error;
        if (isFinal(error)) break;
      }
    }
    giveUp(some.length, "did not accept a message", failure);
    return false;
  }

  async function post(id: string, body: string): Promise<void> {
    const abort = new AbortController();
    const { signal } = abort;
    const timeout = AbortSignal.timeout(timeoutMs);
    timeout.addEventListener("abort", () => abort.abort(timeout.reason), { once: true });
    // The `fetch` of the options may ignore the signal.
    const late = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    current = abort;
    await Promise.race([request(id, body, signal), late]);
  }

  async function request(id: string, body: string, signal: AbortSignal): Promise<void> {
    const at = Math.floor(wallNow() / 1000);
    const response = await options.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(await signer.sign(id, at, body)) },
      body,
      // Redirects are not followed: a message contains callers' keys and must not go to an unknown receiver.
      redirect: "manual",
      signal,
    });
    // The response body is not read: it might never end.
    await response.body?.cancel().catch(() => {});
    if (!response.ok) throw new StatusError(response.status);
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const stop = clock.after(ms, resolve);
      hurry = () => {
        stop?.();
        resolve();
      };
    });
  }

  async function sendRest(): Promise<void> {
    const timeout = AbortSignal.timeout(closeMs);
    timeout.addEventListener("abort", () => current?.abort(timeout.reason), { once: true });
    stopTimer?.();
    hurry?.();
    let isTaken = (await sending) ?? true;
    while (items.length > 0 && isTaken && !timeout.aborted) isTaken = await sendSome();
    if (items.length > 0) giveUp(items.splice(0).length, "was closed");
  }

  return {
    add(item) {
      if (closing !== undefined || items.length >= mostWaiting) {
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
    close() {
      closing ??= sendRest();
      return closing;
    },
  };
}

class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`The receiver answered ${status}.`);
    this.status = status;
  }
}

/** Whether the status is permanent, so that another attempt would fail too. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  const { status } = error;
  return status < 500 && status !== 408 && status !== 425 && status !== 429;
}
