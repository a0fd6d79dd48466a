import { PaymentRequiredError, type Problem, RateLimitedError } from "./errors.ts";
import { openKept, type StoredRefusal } from "./kept.ts";
import { type LimitQuota, type Quota, quotaOf, readQuota } from "./quota.ts";
import { readRetryAfterMs } from "./retry-after.ts";
import { openShare } from "./share.ts";
import { type Clock, platformTimer, type Timer, waitUntil } from "./wait.ts";

/** How {@link Client.fetch} waits and sends again by itself. */
export interface RetryOptions {
  /** The most that one call may spend waiting, in milliseconds; a longer wait is refused at once. */
  maxWaitMs: number;
  /**
   * Which methods are sent again. Default: those that HTTP calls idempotent. Add `POST` if sending twice is safe for
   * your service, which it is when a refusal means that nothing was done. A body that is a stream is never re-sent.
   */
  methods?: readonly string[];
}

/** Options of {@link createClient}; every one has a default that suits a browser. */
export interface ClientOptions {
  /** What really sends. Default: the global `fetch`, looked up at each call. */
  fetch?: typeof globalThis.fetch;
  /**
   * Throw {@link RateLimitedError} and {@link PaymentRequiredError}; default `true`. With `false` the response is
   * returned unchanged, for callers with their own retries and errors; quota and refusal are still recorded.
   */
  throwOnRefusal?: boolean;
  /** Wait and send again. Default: never. */
  retry?: RetryOptions;
  /**
   * Name under which the tabs of this origin share quota and refusals, and under which a page keeps its refusal through a
   * reload; or `false`. Default: `"headgate"` in a page, and nothing elsewhere, where one process may speak for many
   * callers.
   */
  share?: string | false;
  /** Default: the system's clock. */
  clock?: Clock;
  /** Default: `setTimeout`. */
  timer?: Timer;
}

/** A `fetch` that understands refusals, and what it has learnt from the responses so far. */
export interface Client {
  /**
   * Sends like the global `fetch`.
   *
   * @throws {RateLimitedError} on 429, and on the 503 of a guard that cannot count.
   * @throws {PaymentRequiredError} on 402.
   */
  readonly fetch: typeof globalThis.fetch;
  /** The last known quota; the same object until a newer one arrives. */
  readonly quota: () => Quota | undefined;
  /**
   * The last refusal of the caller: of this tab, another one, or this page before a reload. It stays when its deadline has
   * passed, until `clear()`, but for a reload.
   */
  readonly refusal: () => RateLimitedError | undefined;
  /** Calls back when `quota()`, `refusal()` or `caller()` changes. Returns what ends it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Takes in a quota learnt in another way, such as from an endpoint that says what is left. */
  readonly observe: (limits: readonly LimitQuota[]) => void;
  /** Forgets the refusal, in every tab. */
  readonly clear: () => void;
  /** Who is calling, as this tab or another one last said; `undefined` while nobody has. */
  readonly caller: () => string | undefined;
  /**
   * Says who is calling, in your own words, such as a user's id. Another caller than before has limits of their own: quota
   * and refusal are forgotten, in every tab, and so is what requests under way bring back.
   */
  readonly setCaller: (caller: string) => void;
  /** Stops sharing with other tabs. `fetch` still works. */
  readonly close: () => void;
  /** The clock for deadlines. */
  readonly clock: Clock;
}

/** What one tab tells the others. */
interface News {
  /** Whom it is about. */
  caller: string | undefined;
  quota?: Quota | undefined;
  refusal?: StoredRefusal | undefined;
  /** The caller is one since now; or, they are refused no more. */
  event?: "caller" | "clear";
}

const idempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

/**
 * Makes a client: a drop-in `fetch` for whatever calls your service (an AI SDK transport, ky, your own code), which
 * turns refusals into errors with a deadline and keeps the last known quota for the page to show.
 *
 * @example
 * const client = createClient();
 * const transport = new DefaultChatTransport({ api: "/chat/message", fetch: client.fetch });
 */
export function createClient(options: ClientOptions = {}): Client {
  const { throwOnRefusal = true, retry, timer = platformTimer, clock = Date } = options;
  const listeners = new Set<() => void>();
  let quota: Quota | undefined;
  const name = options.share ?? (globalThis.document ? "headgate" : false);
  const kept = openKept(name);
  const stored = kept.read(clock.now());
  let caller: string | undefined;
  // Whose the refusal is may be known while it is not yet known who is calling: after a reload.
  let refused = stored?.caller;
  let refusal = stored && new RateLimitedError(stored.refusal);
  // Counts callers, so that a late answer to one is not taken for the next one's.
  let turn = 0;

  const share = openShare<News>(name, ({ event, ...news }) => {
    if (event === "caller") {
      if (news.caller !== caller) changeCaller(news.caller);
    } else if (caller !== undefined && news.caller !== undefined && news.caller !== caller) return;
    if (event === "clear") refusal = undefined;
    if ((news.quota?.at ?? 0) > (quota?.at ?? 0)) quota = news.quota;
    const theirs = news.refusal;
    if (theirs && theirs.deadline > (refusal?.deadline ?? 0)) {
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
    quota = undefined;
    refusal = undefined;
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

  /** Notes what the response says; returns the error that it amounts to, if it is a refusal. */
  async function read(
    response: Response,
    ofTurn: number,
  ): Promise<RateLimitedError | PaymentRequiredError | undefined> {
    const at = clock.now();
    const { status, headers } = response;
    const newQuota = readQuota(headers, at);
    const problem = [402, 429, 503].includes(status) ? await readProblem(response) : undefined;
    if (status === 429 || (status === 503 && problem?.type?.endsWith?.("#temporary-reduced-capacity"))) {
      const retryAfterMs = readRetryAfterMs(headers, problem, newQuota, at);
      const error = new RateLimitedError(
        { status, deadline: at + retryAfterMs, retryAfterMs, problem, quota: newQuota },
        response,
      );
      // What is refused for its own size says nothing of the requests after it.
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
      // A stream is spent by the first sending, unless it belongs to a Request, which can be cloned.
      const resendable =
        (retry?.methods ?? idempotent).includes(method.toUpperCase()) &&
        !(init?.body instanceof ReadableStream);
      let budgetMs = (resendable && retry?.maxWaitMs) || 0;
      for (let attempt = 0; ; attempt++) {
        const send = options.fetch ?? fetch; // the global one, and not this method
        const ofTurn = turn;
        const response = await send(budgetMs && request ? request.clone() : input, init);
        const error = await read(response, ofTurn);
        if (!error) return response;
        // Where the server says nothing, each wait is twice the one before.
        const waitMs = error instanceof RateLimitedError ? error.retryAfterMs || 1000 * 2 ** attempt : NaN;
        // By the difference, since no wait helps an endless one, however large the budget.
        if (!(budgetMs - waitMs >= 0)) {
          if (throwOnRefusal) throw error;
          return response;
        }
        // The jitter comes after the deadline: before it the server would refuse again.
        const jitterMs = Math.random() * Math.min(budgetMs - waitMs, 250 + waitMs / 10, 5000);
        budgetMs -= waitMs + jitterMs;
        await waitUntil(clock.now() + waitMs + jitterMs, clock, timer, init?.signal ?? request?.signal);
      }
    },
    quota: () => quota,
    refusal: () => refusal,
    subscribe(listener) {
      // One entry a call, so that a listener given twice is not lost when one of the two ends.
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
      // The first time it is only said who has been calling all along, unless somebody else was refused before a reload.
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
  // Other bodies are the caller's own, maybe endless: they are left alone.
  const isJson = response.headers.get("content-type")?.includes("json");
  // Cut short, or not what it says it is: the status alone is the message.
  const body: unknown =
    isJson &&
    (await response
      .clone()
      .json()
      .catch(() => {}));
  return body instanceof Object ? (body as Problem) : undefined;
}

/** What an error carries survives the way to another tab or a later page, but neither its class does nor a response. */
function storable(error: RateLimitedError): StoredRefusal {
  return { ...error, response: undefined };
}
