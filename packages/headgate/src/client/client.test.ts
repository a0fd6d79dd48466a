import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ClientOptions, createClient, PaymentRequiredError, RateLimitedError } from "./index.ts";

const start = Date.UTC(2026, 10, 24);

const problem = {
  type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
  title: "Too many requests",
  status: 429,
  detail: "Five messages a minute are allowed.",
  error: "Too many requests",
  retry_after_seconds: 42,
  "violated-policies": ["user-per-minute"],
};

function json(status: number, body: unknown, fields: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/problem+json", ...fields },
  });
}

function refused(fields: Record<string, string> = { "Retry-After": "42" }): Response {
  return json(429, problem, { RateLimit: '"user-per-minute";r=0;t=42', ...fields });
}

/** A client, and the requests that it sent. The server gives these answers in order, and then repeats the last one. */
function clientOf(answers: (() => Response)[], options: ClientOptions = {}) {
  const sent: { method: string; body: string; atMs: number }[] = [];
  const client = createClient({
    share: false,
    ...options,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      sent.push({ method: request.method, body: await request.text(), atMs: Date.now() - start });
      const answer = answers[Math.min(sent.length, answers.length) - 1];
      if (!answer) throw new TypeError("fetch failed");
      return answer();
    },
  });
  return { client, sent };
}

const url = "https://chat.example/chat/message";
const post = { method: "POST", body: "hello" };
const ok = () => new Response("fine");

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable("it should have been refused"),
    (error: unknown) => error,
  );
}

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("fetch", () => {
  it("returns any other response unchanged, with its body unread", async () => {
    for (const status of [200, 400, 401, 404, 500, 502]) {
      const answer = json(status, { a: 1 });
      const { client } = clientOf([() => answer]);
      expect(await client.fetch(url)).toBe(answer);
      expect(answer.bodyUsed).toBe(false);
    }
  });

  it("rejects with the network error", async () => {
    const { client } = clientOf([]);
    expect(await rejection(client.fetch(url))).toBeInstanceOf(TypeError);
    expect(client.refusal()).toBeUndefined();
  });

  it("throws a refusal with a deadline by this machine's clock", async () => {
    const { client } = clientOf([refused]);
    const error = await rejection(client.fetch(url, post));
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({
      name: "RateLimitedError",
      message: problem.detail,
      status: 429,
      deadline: start + 42_000,
      retryAfterMs: 42_000,
      retryAfterSeconds: 42,
      problem,
      quota: { at: start, tightest: { name: "user-per-minute", remaining: 0 } },
    });
    expect(client.refusal()).toBe(error);
    expect(await (error as RateLimitedError).response?.json()).toEqual(problem);
  });

  it("throws a refusal without a body", async () => {
    for (const body of ["<h1>Slow down</h1>", "", null, "[1]", '"text"', "{"]) {
      const answer = () =>
        new Response(body, {
          status: 429,
          headers: { "Content-Type": "application/json", "Retry-After": "3" },
        });
      const error = await rejection(clientOf([answer]).client.fetch(url));
      expect(error).toMatchObject({
        name: "RateLimitedError",
        message: "Too many requests",
        retryAfterSeconds: 3,
      });
    }
  });

  it("uses only strings from the problem as its message", async () => {
    const odd = { ...problem, detail: { text: "no" }, title: "", error: "too_many" };
    expect(await rejection(clientOf([() => json(429, odd)]).client.fetch(url))).toMatchObject({
      message: "too_many",
    });
  });

  it("does not wait for a body that is not JSON", async () => {
    const endless = () =>
      new Response(new ReadableStream(), { status: 429, headers: { "Retry-After": "3" } });
    expect(await rejection(clientOf([endless]).client.fetch(url))).toMatchObject({ retryAfterSeconds: 3 });
  });

  it("distinguishes a 402 from a refusal", async () => {
    const { client } = clientOf([() => json(402, { error: "payment_required", balance: 0 })]);
    const error = await rejection(client.fetch(url));
    expect(error).toBeInstanceOf(PaymentRequiredError);
    expect(error).not.toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ status: 402, problem: { balance: 0 }, message: "payment_required" });
    expect(client.refusal()).toBeUndefined();
  });

  it("treats a 503 as a refusal only if a guard sent it", async () => {
    const type = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
    const reduced = () => json(503, { type, title: "Busy" }, { "Retry-After": "2" });
    expect(await rejection(clientOf([reduced]).client.fetch(url))).toMatchObject({
      status: 503,
      retryAfterMs: 2000,
    });
    const failed = () => json(503, { type: "about:blank" }, { "Retry-After": "2" });
    expect((await clientOf([failed]).client.fetch(url)).status).toBe(503);
  });

  it("returns refusals with throwOnRefusal: false, and still records them", async () => {
    const { client } = clientOf([refused, () => json(402, {})], { throwOnRefusal: false });
    const response = await client.fetch(url);
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual(problem);
    expect(client.refusal()?.deadline).toBe(start + 42_000);
    expect((await client.fetch(url)).status).toBe(402);
  });

  it("looks up the global fetch at each call", async () => {
    const client = createClient({ share: false });
    vi.stubGlobal("fetch", async () => refused());
    expect(await rejection(client.fetch(url))).toBeInstanceOf(RateLimitedError);
  });

  it("computes deadlines with the given clock", async () => {
    const { client } = clientOf([refused], { clock: { now: () => 1000 } });
    expect(await rejection(client.fetch(url))).toMatchObject({ deadline: 43_000, quota: { at: 1000 } });
  });

  it("works over a real connection", async () => {
    vi.useRealTimers();
    const answer: RequestListener = (_request, response) => {
      response.writeHead(429, { "Content-Type": "application/problem+json", "Retry-After": "42" });
      response.end(JSON.stringify(problem));
    };
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const error = await rejection(createClient().fetch(`http://127.0.0.1:${port}/`, post));
    expect(error).toMatchObject({ name: "RateLimitedError", problem });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("quota and subscribe", () => {
  const withQuota = (remaining: number) => () =>
    new Response("", { headers: { RateLimit: `"user-per-minute";r=${remaining};t=12` } });

  it("keeps the last known quota, as the same object until a newer one arrives", async () => {
    const { client } = clientOf([withQuota(4), withQuota(3), ok]);
    const listener = vi.fn();
    const stop = client.subscribe(listener);
    expect(client.quota()).toBeUndefined();
    await client.fetch(url);
    await client.fetch(url);
    const known = client.quota();
    expect(known?.tightest?.remaining).toBe(3);
    await client.fetch(url);
    expect(client.quota()).toBe(known);
    expect(listener).toHaveBeenCalledTimes(2);
    stop();
    client.clear();
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it("keeps a listener that is subscribed twice until both subscriptions end", () => {
    const { client } = clientOf([ok]);
    const listener = vi.fn();
    const stop = client.subscribe(listener);
    client.subscribe(listener);
    stop();
    stop();
    client.clear();
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it("records a quota from another source with observe", () => {
    const { client } = clientOf([ok]);
    client.observe([{ name: "user-per-minute", quota: 5, windowSeconds: 60, remaining: 1, resetSeconds: 9 }]);
    expect(client.quota()).toMatchObject({ at: start, tightest: { remaining: 1 } });
  });

  it("forgets a refusal on clear()", async () => {
    const { client } = clientOf([refused]);
    await rejection(client.fetch(url));
    client.clear();
    expect(client.refusal()).toBeUndefined();
  });

  it("throws a refusal even if a listener clears it immediately", async () => {
    const { client } = clientOf([refused]);
    client.subscribe(() => client.refusal() && client.clear());
    expect(await rejection(client.fetch(url))).toBeInstanceOf(RateLimitedError);
  });
});

describe("retry", () => {
  const retry = { maxWaitMs: 60_000 };

  it("waits until the deadline, never less, then retries", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { client, sent } = clientOf([refused, ok], { retry });
    const response = client.fetch(url);
    await vi.advanceTimersByTimeAsync(41_999);
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect((await response).status).toBe(200);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 42_000]);
  });

  it("adds jitter after the deadline, within the budget", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    const { client, sent } = clientOf([refused, ok], { retry });
    const response = client.fetch(url);
    await vi.runAllTimersAsync();
    await response;
    expect(sent[1]?.atMs).toBeGreaterThan(46_000);
    expect(sent[1]?.atMs).toBeLessThan(47_000);

    const close = clientOf([refused, ok], { retry: { maxWaitMs: 42_010 } });
    const begin = Date.now();
    const closeResponse = close.client.fetch(url);
    await vi.runAllTimersAsync();
    await closeResponse;
    expect(Date.now() - begin).toBeLessThanOrEqual(42_010);
  });

  it("throws immediately if the wait exceeds the budget of the whole call", async () => {
    const { client, sent } = clientOf([refused], { retry: { maxWaitMs: 100_000 } });
    const error = rejection(client.fetch(url));
    await vi.runAllTimersAsync();
    expect(await error).toBeInstanceOf(RateLimitedError);
    expect(sent).toHaveLength(3);
    expect(Date.now() - start).toBeLessThanOrEqual(100_000);

    const short = clientOf([refused], { retry: { maxWaitMs: 41_999 } });
    expect(await rejection(short.client.fetch(url))).toBeInstanceOf(RateLimitedError);
    expect(short.sent).toHaveLength(1);
  });

  it("backs off exponentially if the server names no wait", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { client, sent } = clientOf([() => new Response("", { status: 429 })], {
      retry: { maxWaitMs: 8000 },
    });
    const error = rejection(client.fetch(url));
    await vi.runAllTimersAsync();
    expect(await error).toBeInstanceOf(RateLimitedError);
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 1000, 3000, 7000]);
  });

  it("retries a POST only if configured, with its body", async () => {
    const cautious = clientOf([refused, ok], { retry });
    expect(await rejection(cautious.client.fetch(url, post))).toBeInstanceOf(RateLimitedError);
    for (const input of [url, new Request(url, post)]) {
      const { client, sent } = clientOf([refused, ok], { retry: { ...retry, methods: ["POST"] } });
      const response = client.fetch(input, typeof input === "string" ? post : undefined);
      await vi.runAllTimersAsync();
      expect((await response).status).toBe(200);
      expect(sent.map(({ method, body }) => `${method} ${body}`)).toEqual(["POST hello", "POST hello"]);
    }
  });

  it("never sends a stream again", async () => {
    const { client, sent } = clientOf([refused, ok], { retry: { ...retry, methods: ["POST"] } });
    const body = new Blob(["hello"]).stream();
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    expect(await rejection(client.fetch(url, init))).toBeInstanceOf(RateLimitedError);
    expect(sent).toHaveLength(1);
  });

  it("never waits if no wait helps, and does not record such a refusal", async () => {
    const tooLarge = () =>
      json(429, { ...problem, retry_after_seconds: null }, { RateLimit: '"minute";r=4;t=9' });
    const { client, sent } = clientOf([tooLarge], { retry: { maxWaitMs: Number.POSITIVE_INFINITY } });
    expect(await rejection(client.fetch(url))).toMatchObject({
      name: "RateLimitedError",
      deadline: Number.POSITIVE_INFINITY,
    });
    expect(sent).toHaveLength(1);
    expect(client.refusal()).toBeUndefined();
    expect(client.quota()?.tightest?.remaining).toBe(4);
  });

  it("never retries a 402", async () => {
    const { client, sent } = clientOf([() => json(402, {})], { retry });
    expect(await rejection(client.fetch(url))).toBeInstanceOf(PaymentRequiredError);
    expect(sent).toHaveLength(1);
  });

  it("stops waiting when the request is aborted, and leaves no timer behind", async () => {
    for (const isRequest of [false, true]) {
      const { client, sent } = clientOf([refused, ok], { retry });
      const controller = new AbortController();
      const init = { signal: controller.signal };
      const error = rejection(isRequest ? client.fetch(new Request(url, init)) : client.fetch(url, init));
      await vi.advanceTimersByTimeAsync(5000);
      controller.abort(new Error("stopped by the person"));
      expect(await error).toMatchObject({ message: "stopped by the person" });
      expect(sent).toHaveLength(1);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("waits longer than a timer can", async () => {
    const seconds = 40 * 24 * 3600;
    const answers = [() => refused({ "Retry-After": `${seconds}` }), ok];
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { client, sent } = clientOf(answers, { retry: { maxWaitMs: Number.POSITIVE_INFINITY } });
    const response = client.fetch(url);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toHaveLength(1);
    // The machine sleeps: the clock jumps and timers do not run. The next check of the clock ends the wait.
    vi.setSystemTime(start + seconds * 1000);
    await vi.advanceTimersByTimeAsync(30_000);
    expect((await response).status).toBe(200);
  });

  it("waits with the given timer and clock", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    let nowMs = 0;
    const delays: number[] = [];
    const timer = (callback: () => void, delayMs: number) => {
      delays.push(delayMs);
      nowMs += delayMs;
      queueMicrotask(callback);
      return () => {};
    };
    const { client } = clientOf([refused, ok], { retry, timer, clock: { now: () => nowMs } });
    expect((await client.fetch(url)).status).toBe(200);
    expect(delays).toEqual([30_000, 12_000]);
  });
});

it.each([
  ["fetc", { fetc: fetch }],
  ["throwOnRefusals", { throwOnRefusals: false }],
  ["maxWaitMs", { maxWaitMs: 5000 }],
  ["maxWait", { retry: { maxWaitMs: 5000, maxWait: 5000 } }],
  ["method", { retry: { maxWaitMs: 5000, method: ["POST"] } }],
  ["0", "https://api.example"],
])("createClient throws for the unknown option %s", (option, options) => {
  expect(() => createClient(options as never)).toThrow(new TypeError(`createClient: no option "${option}"`));
});

it.each([
  true,
  5000,
  {},
  { methods: ["POST"] },
  { maxWaitMs: undefined },
  { maxWaitMs: "5s" },
  { maxWaitMs: Number.NaN },
  { maxWaitMs: -1 },
  { maxWaitMs: 5000, methods: "POST" },
  { maxWaitMs: 5000, methods: null },
  { maxWaitMs: 5000, methods: ["post"] },
  { maxWaitMs: 5000, methods: [5] },
])("createClient throws for the invalid retry %j", (retry) => {
  expect(() => createClient({ retry } as never)).toThrow(
    new TypeError('createClient: retry takes { maxWaitMs: 5000, methods: ["POST"] }'),
  );
});
