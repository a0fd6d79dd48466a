import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { Store } from "../core/store.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { createSigner } from "./signature.ts";
import { type WebhookOptions, webhook } from "./webhook.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const url = "https://example.com/hooks/limits";

interface Message {
  readonly id: string;
  readonly body: {
    type: string;
    timestamp: string;
    data: { limiter: string; notices: Notice[]; dropped: number };
  };
}
interface Notice {
  readonly key: string;
  readonly limit: string;
  readonly outcome: string;
  readonly remaining: number;
}

/** A receiver that answers with the given statuses, one after another. */
function receiver(...statuses: number[]) {
  const messages: Message[] = [];
  const send: typeof fetch = async (_url, init) => {
    messages.push({
      id: new Headers(init?.headers).get("webhook-id") ?? "",
      body: JSON.parse(String(init?.body)),
    });
    return new Response(null, { status: statuses.shift() ?? 204 });
  };
  return { messages, fetch: send };
}

/** A store that answers asynchronously, like a store over a network. */
function slow(store: Store): Store {
  return {
    ...store,
    async decide(...asked) {
      await new Promise((resolve) => setImmediate(resolve));
      return store.decide(...asked);
    },
  };
}

const clock = fakeClock();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function guarded(options: Partial<WebhookOptions>, limits = "10/minute") {
  const limiter = createLimiter({
    name: "chat",
    clock,
    layers: [{ name: "user", key: (user: string) => user, limits }],
  });
  const notices = webhook(limiter, { url, secret, clock, onError() {}, ...options });
  closers.push(() => notices.close());
  return { limiter, notices };
}

/** Advances the clock and waits for the results, since signing is asynchronous. */
async function pass(ms: number, brings: () => void = () => {}) {
  clock.advance(ms);
  await vi.waitFor(brings);
}
const has = (list: readonly unknown[], count: number) => () => expect(list).toHaveLength(count);

describe("webhook", () => {
  it("sends one notice when a caller comes near a limit, and one more a window later", async () => {
    const { messages, fetch } = receiver();
    const { limiter, notices } = guarded({ fetch });
    for (let n = 0; n < 7; n += 1) limiter.admit("ann");
    await pass(1000);
    expect(notices.status().waiting).toBe(0);
    for (let n = 0; n < 5; n += 1) limiter.admit("ann");
    await pass(1000, has(messages, 1));
    expect(messages.map(({ body }) => body.data)).toEqual([
      {
        limiter: "chat",
        dropped: 0,
        notices: [
          {
            at: expect.any(String),
            outcome: "near",
            layer: "user",
            limit: "user-per-minute",
            unit: "requests",
            quota: 10,
            remaining: 2,
            window_seconds: 60,
            key: "ann",
          },
        ],
      },
    ]);
    await pass(60_000);
    await vi.waitFor(() => expect(notices.status().sent).toBe(1));
    for (let n = 0; n < 8; n += 1) limiter.admit("ann");
    await pass(1000, has(messages, 2));
  });

  it("collects a burst into one message, and includes refusals", async () => {
    const { messages, fetch } = receiver();
    const { limiter } = guarded({ fetch, from: 1 });
    for (const user of ["ann", "bob"]) for (let n = 0; n < 10; n += 1) limiter.admit(user);
    limiter.admit("eve", { cost: { requests: 11 } });
    await pass(1000, has(messages, 1));
    expect(messages[0]?.body.data.notices.map(({ key, outcome }) => [key, outcome])).toEqual([
      ["ann", "near"],
      ["bob", "near"],
    ]);
  });

  it("sends once per window from all processes that share a store", async () => {
    const { messages, fetch } = receiver();
    const store = memoryStore();
    const one = guarded({ fetch, store });
    const other = guarded({ fetch, store });
    for (let n = 0; n < 10; n += 1) {
      one.limiter.admit("ann");
      other.limiter.admit("ann");
    }
    await one.notices.close();
    await other.notices.close();
    expect(messages.flatMap(({ body }) => body.data.notices)).toHaveLength(1);
  });

  it("sends a message again with the same id until it is accepted", async () => {
    const { messages, fetch } = receiver(500, 429, 204);
    const { limiter, notices } = guarded({ fetch });
    for (let n = 0; n < 8; n += 1) limiter.admit("ann");
    await pass(1000, has(messages, 1));
    await pass(2000, has(messages, 2));
    await pass(10_000, has(messages, 3));
    expect(new Set(messages.map(({ id }) => id)).size).toBe(1);
    await vi.waitFor(() => expect(notices.status()).toEqual({ waiting: 0, sent: 1, dropped: 0 }));
  });

  it("drops a message after a permanent error or five attempts, and reports it in the next message", async () => {
    const errors: unknown[] = [];
    const { messages, fetch } = receiver(410, 500, 500, 500, 500, 500);
    const { limiter, notices } = guarded({ fetch, onError: (error) => errors.push(error) });
    for (let n = 0; n < 8; n += 1) limiter.admit("ann");
    await pass(1000, () => expect(notices.status()).toEqual({ waiting: 0, sent: 0, dropped: 1 }));
    for (let n = 0; n < 8; n += 1) limiter.admit("bob");
    for (const [n, ms] of [1000, 2000, 10_000, 60_000, 300_000].entries())
      await pass(ms, has(messages, n + 2));
    await vi.waitFor(() => expect(notices.status().dropped).toBe(2));
    expect(errors.map(String)).toEqual([
      "Error: The webhook at example.com did not accept a message, and 1 notice is lost.",
      "Error: The webhook at example.com did not accept a message, and 1 notice is lost.",
    ]);
    for (let n = 0; n < 8; n += 1) limiter.admit("eve");
    await pass(1000, has(messages, 7));
    expect(messages.at(-1)?.body.data).toMatchObject({ dropped: 2, notices: [{ key: "eve" }] });
  });

  it("holds a bounded number of notices, and counts the others as dropped", async () => {
    const { messages, fetch } = receiver();
    const { limiter, notices } = guarded({ fetch }, "1/minute");
    for (let n = 0; n < 5000; n += 1) limiter.admit(`user${n}`);
    expect(notices.status()).toEqual({ waiting: 1000, sent: 0, dropped: 4000 });
    await pass(1000, () => expect(notices.status().sent).toBe(100));
    expect(messages[0]?.body.data).toMatchObject({ dropped: 4000 });
    expect(messages[0]?.body.data.notices).toHaveLength(100);
    await pass(1000, has(messages, 2));
    expect(messages[1]?.body.data.dropped).toBe(0);
  });

  it("sends waiting notices when it is closed, and nothing after that", async () => {
    const { messages, fetch } = receiver();
    const { limiter, notices } = guarded({ fetch });
    for (let n = 0; n < 8; n += 1) limiter.admit("ann");
    await notices.close();
    expect(messages).toHaveLength(1);
    for (let n = 0; n < 8; n += 1) limiter.admit("bob");
    await pass(5000);
    expect(messages).toHaveLength(1);
  });

  it("closes within 5 seconds if the receiver accepts nothing", async () => {
    const { messages, fetch } = receiver(...Array<number>(20).fill(500));
    const { limiter, notices } = guarded({ fetch }, "1/minute");
    for (let n = 0; n < 500; n += 1) limiter.admit(`user${n}`);
    await notices.close();
    expect(messages).toHaveLength(1);
    expect(notices.status()).toEqual({ waiting: 0, sent: 0, dropped: 500 });
  });

  it.each([
    ["the receiver's 10 seconds", 0, 10_000],
    ["5 seconds of closing", 1, 5000],
  ])("waits at most %s for a receiver that hangs when it is closed", async (_limit, which, ms) => {
    const timeouts: { ms: number; end: AbortController }[] = [];
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation((given) => {
      const end = new AbortController();
      timeouts.push({ ms: given, end });
      return end.signal;
    });
    onTestFinished(() => timeout.mockRestore());
    const errors: unknown[] = [];
    // This fetch ignores the signal.
    const fetch = vi.fn(() => new Promise<Response>(() => {}));
    const { limiter, notices } = guarded({ fetch, onError: (error) => errors.push(error) }, "1/minute");
    for (let n = 0; n < 150; n += 1) limiter.admit(`user${n}`);
    await pass(1000, () => expect(fetch).toHaveBeenCalledTimes(1));
    let closed = 0;
    const closings = [notices.close(), notices.close()].map((closing) => closing.then(() => (closed += 1)));
    await vi.waitFor(has(timeouts, 2));
    expect(closed).toBe(0);
    expect(timeouts[which]?.ms).toBe(ms);
    timeouts[which]?.end.abort(new Error("too late"));
    await Promise.all(closings);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(notices.status()).toEqual({ waiting: 0, sent: 0, dropped: 150 });
    expect(errors.map(String)).toEqual([
      "Error: The webhook at example.com did not accept a message, and 100 notices are lost.",
      "Error: The webhook at example.com was closed, and 50 notices are lost.",
    ]);
  });

  it("waits for the shared store's answers when it is closed, and sends those notices", async () => {
    const { messages, fetch } = receiver();
    const { limiter, notices } = guarded({ fetch, store: slow(memoryStore()) });
    for (let n = 0; n < 8; n += 1) limiter.admit("ann");
    await notices.close();
    expect(messages[0]?.body.data.notices).toMatchObject([{ key: "ann" }]);
  });

  it("survives an onError that throws or rejects", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    onTestFinished(() => void process.off("unhandledRejection", unhandled));
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => logged.mockRestore());
    const fails = [
      () => {
        throw new Error("mine");
      },
      () => Promise.reject(new Error("mine")),
    ];
    for (const onError of fails) {
      const { limiter, notices } = guarded({ fetch: receiver(410).fetch, onError });
      for (let n = 0; n < 8; n += 1) limiter.admit("ann");
      await pass(1000, () => expect(notices.status().dropped).toBe(1));
      await expect(notices.close()).resolves.toBeUndefined();
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).not.toHaveBeenCalled();
    expect(logged).toHaveBeenCalledTimes(2);
  });

  it("distinguishes callers with long keys", async () => {
    const { messages, fetch } = receiver();
    const { limiter, notices } = guarded({ fetch, store: memoryStore() });
    const keys = ["A", "B"].map((end) => "x".repeat(1023) + end);
    for (let n = 0; n < 9; n += 1) for (const key of keys) limiter.admit(key);
    await notices.close();
    expect(messages.flatMap(({ body }) => body.data.notices.map(({ key }) => key))).toEqual(keys);
  });

  it("counts webhooks with different receivers or values of from separately, even over one store", async () => {
    const [one, other, full] = [receiver(), receiver(), receiver()];
    const store = memoryStore();
    const { limiter, notices } = guarded({ fetch: one.fetch, store });
    const also = webhook(limiter, { url: `${url}/2`, secret, clock, store, fetch: other.fetch });
    const atFull = webhook(limiter, { url, secret, clock, store, from: 1, fetch: full.fetch });
    for (let n = 0; n < 10; n += 1) limiter.admit("ann");
    for (const { close } of [notices, also, atFull]) await close();
    const remaining = [one, other, full].map(({ messages }) =>
      messages.flatMap(({ body }) => body.data.notices.map((notice) => notice.remaining)),
    );
    expect(remaining).toEqual([[2], [2], [0]]);
  });

  it("sends again when the window of another process's notice ends", async () => {
    const { messages, fetch } = receiver();
    const store = memoryStore();
    const one = guarded({ fetch, store });
    const other = guarded({ fetch, store });
    for (let n = 0; n < 8; n += 1) one.limiter.admit("ann");
    await pass(50_000, has(messages, 1));
    for (let n = 0; n < 8; n += 1) other.limiter.admit("ann");
    await pass(10_000);
    other.limiter.admit("ann");
    await pass(1000, has(messages, 2));
  });

  it("sends one notice in each calendar day of a fixed window", async () => {
    const { messages, fetch } = receiver();
    const daily = fakeClock(Date.UTC(2026, 0, 1, 20));
    const limiter = createLimiter({
      name: "chat",
      clock: daily,
      layers: [{ name: "user", key: (user: string) => user, limits: "10/day fixed-window" }],
    });
    const notices = webhook(limiter, { url, secret, clock: daily, fetch });
    for (let n = 0; n < 8; n += 1) limiter.admit("ann");
    daily.advance(3_600_000);
    limiter.admit("ann");
    daily.advance(12 * 3_600_000);
    for (let n = 0; n < 9; n += 1) limiter.admit("ann");
    await notices.close();
    expect(messages.flatMap(({ body }) => body.data.notices.map(({ remaining }) => remaining))).toEqual([
      2, 2,
    ]);
  });

  it("keeps a message below the size that receivers accept, whatever keys callers have", async () => {
    const sizes: number[] = [];
    const { fetch, messages } = receiver();
    const { limiter, notices } = guarded(
      {
        fetch: (to, init) => {
          sizes.push(Buffer.byteLength(String(init?.body)));
          return fetch(to, init);
        },
      },
      "1/minute",
    );
    for (let n = 0; n < 50; n += 1) limiter.admit(`${n}`.padEnd(1024, "\ud800"));
    await notices.close();
    expect(messages.flatMap(({ body }) => body.data.notices)).toHaveLength(50);
    expect(Math.max(...sizes)).toBeLessThan(65_536);
  });

  it("signs with the wall clock's time, even after the clock was changed", async () => {
    const stamps: (string | null)[] = [];
    const limiter = createLimiter({
      name: "chat",
      layers: [{ name: "user", key: (user: string) => user, limits: "1/minute" }],
    });
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      stamps.push(new Headers(init?.headers).get("webhook-timestamp"));
      stamps.push(JSON.parse(String(init?.body)).timestamp);
      return new Response();
    };
    const notices = webhook(limiter, { url, secret, fetch });
    limiter.admit("ann");
    const moved = Date.UTC(2030, 0, 1);
    const date = vi.spyOn(Date, "now").mockReturnValue(moved);
    onTestFinished(() => date.mockRestore());
    await notices.close();
    expect(stamps).toEqual([String(moved / 1000), "2030-01-01T00:00:00.000Z"]);
  });

  it("sends nothing about places, blocks and unlimited plans", async () => {
    const { messages, fetch } = receiver();
    const limiter = createLimiter({
      name: "chat",
      clock,
      layers: [
        { name: "user", key: (user: string) => user, limits: "1 concurrent; 100/minute" },
        { name: "shut", key: (user: string) => (user === "eve" ? user : null), limits: "blocked" },
        { name: "open", key: (user: string) => user, limits: "unlimited" },
      ],
    });
    const notices = webhook(limiter, { url, secret, clock, fetch });
    limiter.admit("ann");
    limiter.admit("ann");
    limiter.admit("eve");
    await notices.close();
    expect(messages).toEqual([]);
  });

  it.each([
    [{ url: "example.com" }, /^url must be an address such as https:.*, got "example.com"/],
    [{ url: "file:///etc/passwd" }, /^url must be an address/],
    [
      { url: "https://ann:secret@example.com/" },
      /^url must be an address such as https:.*, without a password/,
    ],
    [{ secret: "hunter2" }, /^secret must be "whsec_" and then/],
    [{ secret: "whsec_c2hvcnQ=" }, /got 5 bytes/],
    [{ secret: "whsec_%%" }, /not base64/],
    [{ from: 0 }, /^from must be a share above 0 and up to 1, such as 0.8; got 0/],
    [{ from: 80 }, /got 80/],
    [{ fetch: 5 }, /^fetch must be a function, got 5/],
    [{ onError: "log" }, /^onError must be a function, got "log"/],
    [{ clock: null }, /^clock must have now\(\)/],
    [{ url: Object.create(null) }, /^url must be an address/],
    [{ urll: url }, /has no option "urll": did you mean "url"/],
  ])("throws for %j", (options, message) => {
    const limiter = createLimiter({
      name: "chat",
      layers: [{ name: "all", key: () => "all", limits: "1/minute" }],
    });
    expect(() => webhook(limiter, { url, secret, ...options } as WebhookOptions)).toThrow(message);
  });

  it.each([undefined, {}, "chat"])("throws for %j as a limiter", (limiter) => {
    expect(() => webhook(limiter as never, { url, secret })).toThrow(/^webhook takes a limiter and/);
  });

  it("does not quote an invalid secret", () => {
    expect(() => createSigner("hunter2")).not.toThrow("hunter2");
    expect(() => createSigner("whsec_c2hvcnQ=")).not.toThrow("c2hvcnQ");
  });
});

describe("over HTTP", () => {
  let server: Server;
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it("signs according to Standard Webhooks, and follows no redirect", async () => {
    const got: { headers: Record<string, unknown>; body: string }[] = [];
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        got.push({ headers: request.headers, body });
        response.writeHead(got.length === 1 ? 302 : 200, { location: "/elsewhere" }).end("thanks");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { limiter, notices } = guarded({ url: `http://127.0.0.1:${port}/hook` });
    for (let n = 0; n < 8; n += 1) limiter.admit("ann");
    await notices.close();
    expect(got).toHaveLength(1);
    const [{ headers, body } = { headers: {}, body: "" }] = got;
    const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const expected = createHmac("sha256", key).update(content).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${expected}`);
    expect(notices.status().dropped).toBe(1);
  });
});

// An example from the reference libraries.
it("makes the signature that the Standard Webhooks libraries expect", async () => {
  const headers = await createSigner(secret).sign(
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1_614_265_330,
    '{"test": 2432232314}',
  );
  expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});
