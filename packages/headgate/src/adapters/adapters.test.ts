import { type Context, Hono } from "hono";
import { describe, expect, it, vi } from "vitest";
import type { Admission, Admitted } from "../core/admission.ts";
import type { GuardOptions } from "../http/guard/admit.ts";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { admissionOf, rateLimit as fetchRateLimit } from "./fetch.ts";
import { rateLimit as honoRateLimit } from "./hono.ts";

interface Caller {
  user: string | null;
}

type Answer = (admission: Admission | undefined) => Response | Promise<Response>;
type Options = Omit<GuardOptions<Caller, [headers: Headers]>, "legacy">;
type Send = (request: Request) => Promise<Response>;

function limiterOf(overrides: Partial<Limiter<Caller>> = {}, onError = vi.fn()) {
  const clock = fakeClock();
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: [{ name: "user", key: ({ user }) => user, limits: "2/minute" }],
    clock,
    onError,
  });
  return { clock, onError, limiter: { ...limiter, ...overrides } };
}

const byHeader = (headers: Headers): Caller => ({ user: headers.get("x-user") });

const adapters: Record<string, (limiter: Limiter<Caller>, options: Options, answer: Answer) => Send> = {
  fetch(limiter, { caller, cost, skip }, answer) {
    const guard = fetchRateLimit(limiter, {
      caller: (request) => caller(request.headers),
      ...(cost === undefined ? {} : { cost: (request) => cost(request.headers) }),
      ...(skip === undefined ? {} : { skip: (request) => skip(request.headers) }),
    });
    const guarded = guard(async (request) => answer(admissionOf(request)));
    return async (request) => guarded(request);
  },
  hono(limiter, { caller, cost, skip }, answer) {
    const app = new Hono();
    const guard = honoRateLimit(limiter, {
      caller: (c: Context) => caller(c.req.raw.headers),
      ...(cost === undefined ? {} : { cost: (c: Context) => cost(c.req.raw.headers) }),
      ...(skip === undefined ? {} : { skip: (c: Context) => skip(c.req.raw.headers) }),
    });
    app.all("/", guard, (c) => answer(c.get("admission")) as Response);
    return async (request) => app.fetch(request);
  },
};

const request = (user: string | null = "a", init: RequestInit = {}) =>
  new Request("http://localhost/", {
    ...init,
    headers: { ...init.headers, ...(user === null ? {} : { "x-user": user }) },
  });

describe.each(Object.entries(adapters))("the %s adapter", (_name, adapt) => {
  const hello: Answer = () => new Response("hello", { headers: { "X-Own": "kept" } });

  it("admits a request with the fields, refuses the next without calling the handler, then admits again", async () => {
    const { limiter, clock } = limiterOf();
    const answer = vi.fn(hello);
    const send = adapt(limiter, { caller: byHeader }, answer);
    const first = await send(request());
    expect([first.status, await first.text(), first.headers.get("X-Own")]).toEqual([200, "hello", "kept"]);
    expect(first.headers.get("RateLimit")).toBe('"user-per-minute";r=1;t=60');
    expect(first.headers.get("RateLimit-Policy")).toBe('"user-per-minute";q=2;w=60');
    await send(request());
    const refused = await send(request());
    expect(refused.status).toBe(429);
    expect(refused.headers.get("Content-Type")).toBe("application/problem+json");
    expect(refused.headers.get("Retry-After")).toBe("60");
    expect(await refused.json()).toMatchObject({ error: "Too many requests", retry_after_seconds: 60 });
    expect(answer).toHaveBeenCalledTimes(2);
    clock.advance(60_000);
    expect((await send(request())).status).toBe(200);
  });

  it("shows a refund by the handler in the fields", async () => {
    const { limiter } = limiterOf();
    const send = adapt(limiter, { caller: byHeader }, async (admission) => {
      await (admission as Admitted).end("nothing");
      return new Response(null, { status: 402 });
    });
    for (let n = 0; n < 5; n += 1) {
      const response = await send(request());
      expect([response.status, response.headers.get("RateLimit")]).toEqual([
        402,
        '"user-per-minute";r=2;t=0',
      ]);
    }
  });

  it("awaits callers and costs that are promises", async () => {
    const { limiter } = limiterOf();
    const send = adapt(
      limiter,
      { caller: async (headers) => byHeader(headers), cost: async () => ({ requests: 2 }) },
      hello,
    );
    expect((await send(request())).status).toBe(200);
    expect((await send(request())).status).toBe(429);
  });

  it("passes on a stream without buffering, and passes on its cancellation", async () => {
    const { limiter } = limiterOf();
    const cancelled = vi.fn();
    let push: ((text: string) => void) | undefined;
    const send = adapt(limiter, { caller: byHeader }, () => {
      const stream = new ReadableStream({
        start(controller) {
          push = (text) => controller.enqueue(new TextEncoder().encode(text));
        },
        cancel: cancelled,
      });
      return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
    });
    const response = await send(request());
    const reader = response.body?.getReader();
    push?.("one");
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("one");
    push?.("two");
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("two");
    await reader?.cancel();
    expect(cancelled).toHaveBeenCalledOnce();
  });

  it("writes the fields even if the handler's headers cannot be changed", async () => {
    const { limiter } = limiterOf();
    const send = adapt(limiter, { caller: byHeader }, () => Response.redirect("http://localhost/elsewhere"));
    const response = await send(request());
    expect([response.status, response.headers.get("Location")]).toEqual([302, "http://localhost/elsewhere"]);
    expect(response.headers.get("RateLimit")).toContain("r=1");
  });

  it("does not count preflights or skipped requests", async () => {
    const { limiter } = limiterOf();
    const send = adapt(limiter, { caller: byHeader, skip: (headers) => headers.has("x-skip") }, hello);
    const preflight = { method: "OPTIONS", headers: { "Access-Control-Request-Method": "POST" } };
    for (let n = 0; n < 5; n += 1) {
      expect((await send(request("a", preflight))).status).toBe(200);
      expect((await send(request("a", { headers: { "x-skip": "1" } }))).status).toBe(200);
    }
    expect((await send(request())).headers.get("RateLimit")).toContain("r=1");
  });

  it("refuses a HEAD request without a body", async () => {
    const { limiter } = limiterOf();
    const send = adapt(limiter, { caller: byHeader }, hello);
    for (let n = 0; n < 2; n += 1) await send(request("a", { method: "HEAD" }));
    const refused = await send(request("a", { method: "HEAD" }));
    expect([refused.status, refused.headers.get("Retry-After"), await refused.text()]).toEqual([
      429,
      "60",
      "",
    ]);
  });

  it("sends no fields if no layer applies", async () => {
    const { limiter } = limiterOf();
    const response = await adapt(limiter, { caller: byHeader }, hello)(request(null));
    expect(response.headers.has("RateLimit")).toBe(false);
  });

  const fail = () => {
    throw new Error("guard");
  };
  it.each<[string, Partial<Options>, Partial<Limiter<Caller>>]>([
    ["caller throws", { caller: fail }, {}],
    ["caller rejects", { caller: async () => fail() }, {}],
    ["cost throws", { cost: fail }, {}],
    ["cost rejects", { cost: async () => fail() }, {}],
    ["cost returns NaN", { cost: () => ({ requests: Number.NaN }) }, {}],
    ["skip throws", { skip: fail, caller: fail }, {}],
    ["admit throws", {}, { admit: fail }],
    ["admit rejects", {}, { admit: async () => fail() }],
  ])("still answers and limits requests if %s", async (_when, options, overrides) => {
    const { limiter, onError } = limiterOf(overrides);
    const send = adapt(limiter, { caller: byHeader, ...options }, hello);
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await send(request())).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(onError).toHaveBeenCalled();
  });

  it("admits the request and reports an error if unidentified requests cannot be decided", async () => {
    const { limiter, onError } = limiterOf();
    const send = adapt(limiter, { caller: byHeader }, hello);
    limiter.close();
    expect((await send(request())).status).toBe(200);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: "limiter-closed" }));
  });
});

describe("the types of the adapters", () => {
  it("reject a caller function for another type of request or caller", () => {
    const { limiter } = limiterOf();
    const ofNode = (incoming: { socket: { remoteAddress: string } }): Caller => ({
      user: incoming.socket.remoteAddress,
    });
    // @ts-expect-error a function of a Node.js request does not fit a fetch handler
    fetchRateLimit(limiter, { caller: ofNode });
    // @ts-expect-error a function of a Node.js request does not fit a Hono route
    honoRateLimit(limiter, { caller: ofNode });
    const ofSession = (_request: Request) => ({ session: "s" });
    // @ts-expect-error the function returns another type of caller
    fetchRateLimit(limiter, { caller: ofSession });
  });

  it("allow the handler to read the admission", () => {
    const app = new Hono();
    const { limiter } = limiterOf();
    app.get("/", honoRateLimit(limiter, { caller: () => ({ user: null }) }), (c) => {
      const admission: Admission | undefined = c.get("admission");
      // @ts-expect-error the variable is an admission, not text
      const text: string = c.get("admission");
      return c.text(String(admission ?? text));
    });
    expect(app.routes.length).toBeGreaterThan(0);
  });
});
