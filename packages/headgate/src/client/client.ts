import { PaymentRequiredError, type Problem, RateLimitedError } from "./errors.ts";
import { openKept, type StoredRefusal } from "./kept.ts";
import { type LimitQuota, type Quota, quotaOf, readQuota } from "./quota.ts";
import { readRetryAfterMs } from "./retry-after.ts";
import { openShare } from "./share.ts";
import { type Clock, platformTimer, type Timer, waitUntil } from "./wait.ts";

/** How {@link Client.fetch} retries. */
export interface RetryOptions {
  /** The maximum time that one call may wait, in milliseconds. A refusal with a longer wait is thrown immediately. */
  maxWaitMs: number;
  /**
   * The methods to retry. Default: the idempotent methods of HTTP. Add `POST` if your service has done nothing for a
   * request that it refuses. A stream body is never sent again.
   */
  methods?: readonly Uppercase<string>[];
}

/** Options of {@link createClient}. The defaults suit a browser. */
export interface ClientOptions {
  /** The function that sends requests. Default: the global `fetch`, looked up at each call. */
  fetch?: typeof globalThis.fetch;
  /**
   * Whether to throw {@link RateLimitedError} and {@link PaymentRequiredError}. Default `true`. With `false` the
   * response is returned unchanged, for code with its own retries and errors. Quota and refusal are still recorded.
   */
  throwOnRefusal?: boolean;
  /** How to wait and retry after a refusal. Default: no retries. */
  retry?: RetryOptions;
  /**
   * The name under which the tabs of this origin share quota and refusals, and under which a page stores its refusal
   * across reloads; `false` turns both off. Default: `"headgate"` in a page. Elsewhere `false`, because one process may
   * act for many callers.
   */
  share?: string | false;
  /** The source of the time. Default: the system's clock. */
  clock?: Clock;
  /** The timer for waits. Default: `setTimeout`. */
  timer?: Timer;
}

/** A `fetch` that understands refusals, and the state it has read from responses so far. */
export interface Client {
  /**
   * Sends a request, like the global `fetch`.
   *
   * @throws {RateLimitedError} on 429, and on the 503 of a guard whose store is unavailable.
   * @throws {PaymentRequiredError} on 402.
   */
  readonly fetch: typeof globalThis.fetch;
  /** The last known quota. The same object until a newer one arrives. */
  readonly quota: () => Quota | undefined;
  /**
   * The last refusal of the caller, in this tab, in another tab, or in this page before a reload. It stays until
   * `clear()`, even after its deadline, but a reload drops an expired refusal.
   */
  readonly refusal: () => RateLimitedError | undefined;
  /** Calls `listener` when `quota()`, `refusal()` or `caller()` changes. Returns a function that unsubscribes. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Records a quota from another source, such as an endpoint that returns the remaining quota. */
  readonly observe: (limits: readonly LimitQuota[]) => void;
  /** Forgets the refusal, in every tab. */
  readonly clear: () => void;
  /** The caller that this tab or another tab last set; `undefined` if none was set. */
  readonly caller: () => string | undefined;
  /**
   * Sets the caller, such as a user's id. If the caller changes, quota and refusal are forgotten in every tab, because
   * they belong to the previous caller. Responses to requests that were sent before the change are not recorded.
   */
  readonly setCaller: (caller: string) => void;
  /** Stops sharing with other tabs. `fetch` still works. */
  readonly close: () => void;
  /** The clock for deadlines. */
  readonly clock: Clock;
}

/** A message from one tab to the others. */
interface News {
  /** The caller that the message is about. */
  caller: string | undefined;
  quota?: Quota | undefined;
  refusal?: StoredRefusal | undefined;
  /** `caller`: the caller has changed. `clear`: the refusal was cleared. */
  event?: "caller" | "clear";
}

const idempotent: readonly string[] = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

/**
 * Creates a client: a drop-in `fetch` for code that calls your service (an AI SDK transport, ky, your own code). It
 * turns refusals into errors with a deadline, and keeps the last known quota for the page to show.
 *
 * @example const client = createClient(); const transport = new DefaultChatTransport({ api: "/chat/message", fetch:
 *   client.fetch });
 * @throws {TypeError} for an option that does not exist, for a `retry` without a `maxWaitMs` of 0 or more, or whose
 *   `methods` is not an array of upper-case names.
 */
export function createClient(options: ClientOptions = {}): Client {
  const {
    fetch: ownFetch,
    throwOnRefusal = true,
    // Without maxWaitMs, a `retry` would never retry.
    retry: { maxWaitMs, methods = idempotent, ...unknownToo } = { maxWaitMs: 0 } as RetryOptions,
    share: name = globalThis.document && "headgate",
    timer = platformTimer,
    clock = Date,
    ...unknown
  } = options;
  // Otherwise a misspelt option would be ignored.
  for (const option in { ...unknown, ...unknownToo }) throw TypeError(`createClient: no option "${option}"`);
  if (!(maxWaitMs >= 0 && methods?.every?.((method) => method === method.toUpperCase?.())))
    throw TypeError('createClient: retry takes { maxWaitMs: 5000, methods: ["POST"] }');
  const listeners = new Set<() => void>();
  let quota: Quota | undefined;
  const kept = openKept(name);
  const stored = kept.read(clock.now());
  let caller: string | undefined;
  // The caller who was refused. After a reload it may be known before `setCaller` sets the current caller.
  let refused = stored?.caller;
  let refusal = stored && new RateLimitedError(stored.refusal);
  // Counts changes of the caller, so that a late response to one caller is not recorded for the next.
  let turn = 0;

  const share = openShare<News>(name, ({ event, refusal: theirs, ...news }) => {
    if (event === "caller") {
      if (news.caller !== caller) changeCaller(news.caller);
    } else if (caller !== undefined && news.caller !== undefined && news.caller !== caller) return;
    if (event === "clear") refusal = undefined;
    if ((news.quota?.at ?? 0) > (quota?.at ?? 0)) quota = news.quota;
    // Keep the refusal that was received later, so that all tabs agree. It was received at deadline − retryAfterMs.
    if (
      theirs &&
      theirs.deadline - theirs.retryAfterMs > (refusal ? refusal.deadline - refusal.retryAfterMs : 0)
    ) {
      refusal = new RateLimitedError(theirs);
      refused = news.caller;
    }
    notify();
  });

  function notify(): void {
    for (const listener of [...listeners]) listener();
  }

  function changeCaller(next: string | undefined): void {
    turn++;
    caller = next;
    quota = refusal = undefined;
  }

  function learn(newQuota: Quota | undefined, newRefusal?: RateLimitedError): void {
    if (!newQuota && !newRefusal) return;
    quota = newQuota ?? quota;
    if (newRefusal) {
      refusal = newRefusal;
      refused = caller;
      keep();
    }
    share.post({ caller, quota: newQuota, refusal: newRefusal && storable(newRefusal) });
    notify();
  }

  function keep(): void {
    kept.write(refusal && { caller: refused, refusal: storable(refusal) });
  }

  /** Records what the response reports. Returns the error for a refusal. */
  async function read(
    response: Response,
    ofTurn: number,
  ): Promise<RateLimitedError | PaymentRequiredError | undefined> {
    const at = clock.now();
    const { status, headers } = response;
    const newQuota = readQuota(headers, at);
    const problem = [402, 429, 503].includes(status) ? await readProblem(response) : undefined;
    if (status === 429 || (status === 503 && /#temporary-reduced-capacity$/.test(problem?.type as string))) {
      const retryAfterMs = readRetryAfterMs(headers, problem, newQuota, at);
      const error = new RateLimitedError(
        { status, deadline: at + retryAfterMs, retryAfterMs, problem, quota: newQuota },
        response,
      );
      // A request that was refused for its size says nothing about later requests.
      if (ofTurn === turn) learn(newQuota, retryAfterMs < Infinity ? error : undefined);
      return error;
    }
    if (ofTurn === turn) learn(newQuota);
    return status === 402 ? new PaymentRequiredError(problem, response) : undefined;
  }

  return {
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      const request = input instanceof Request ? input : undefined;
      const method = init?.method ?? request?.method ?? "GET";
      // A stream can be sent only once, unless it belongs to a Request, which can be cloned.
      const resendable = methods.includes(method.toUpperCase()) && !(init?.body instanceof ReadableStream);
      let budgetMs = resendable ? maxWaitMs : 0;
      for (let attempt = 0; ; attempt++) {
        const send = ownFetch ?? fetch; // the global `fetch`, not this method
        const ofTurn = turn;
        const response = await send(budgetMs && request ? request.clone() : input, init);
        const error = await read(response, ofTurn);
        if (!error) return response;
        // If the server names no wait, each wait is twice the previous one.
        const waitMs = error instanceof RateLimitedError ? error.retryAfterMs || 1000 * 2 ** attempt : NaN;
        // Compare the difference: it is NaN if wait and budget are both infinite.
        if (!(budgetMs - waitMs >= 0)) {
          if (throwOnRefusal) throw error;
          return response;
        }
        // The jitter only lengthens the wait: before the deadline the server would refuse again.
        const jitterMs = Math.random() * Math.min(budgetMs - waitMs, 250 + waitMs / 10, 5000);
        budgetMs -= waitMs + jitterMs;
        await waitUntil(clock.now() + waitMs + jitterMs, clock, timer, init?.signal ?? request?.signal);
      }
    },
    quota: () => quota,
    refusal: () => refusal,
    subscribe(listener) {
      // One entry per call: a listener that subscribed twice stays when one subscription ends.
      const entry = () => listener();
      listeners.add(entry);
      share.listen();
      return () => listeners.delete(entry);
    },
    observe: (limits) => learn(quotaOf(limits, clock.now())),
    clear() {
      refusal = undefined;
      keep();
      share.post({ caller, event: "clear" });
      notify();
    },
    caller: () => caller,
    setCaller(next) {
      if (next === caller) return;
      // The first call gives a name to the caller whose state is already recorded, unless another caller was refused
      // before a reload.
      if (caller !== undefined || (refusal && refused !== undefined && refused !== next)) changeCaller(next);
      caller = next;
      refused = next;
      keep();
      share.post({ caller, event: "caller" });
      notify();
    },
    close: share.close,
    clock,
  };
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  // Read only JSON. Other bodies belong to the calling code and may be endless.
  const isJson = response.headers.get("content-type")?.includes("json");
  // If the body is cut short or not JSON, only the status counts.
  const body: unknown =
    isJson &&
    (await response
      .clone()
      .json()
      .catch(() => {}));
  return body instanceof Object ? (body as Problem) : undefined;
}

/** The plain data of an error, without class and response, for another tab or a later page. */
function storable(error: RateLimitedError): StoredRefusal {
  return { ...error, response: undefined };
}
