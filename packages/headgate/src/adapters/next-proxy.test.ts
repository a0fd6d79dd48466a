import { AsyncResource } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as requestOver, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { HeadgateError } from "../core/errors.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { rateLimit } from "./next.ts";

type Handler = (request: Request) => Response | Promise<Response>;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** Runs `proxy` and a route like Next: each gets a separate request, and headers set by `proxy` replace headers of the route. */
async function serve(proxy: Handler, route: Handler): Promise<string> {
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = () => new Request(`http://localhost${incoming.url}`);
    const first = await proxy(request());
    const goesOn = first.headers.has("x-middleware-next");
    for (const [name, value] of first.headers) {
      if (name !== "x-middleware-next") outgoing.setHeader(name, value);
    }
    const last = goesOn ? await route(request()) : first;
    outgoing.statusCode = last.status;
    for (const [name, value] of last.headers) {
      if (!outgoing.hasHeader(name)) outgoing.setHeader(name, value);
    }
    const reader = last.body?.getReader();
    outgoing.once("close", () => void reader?.cancel());
    for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
      outgoing.write(piece.value);
    }
    outgoing.end();
  }
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Returns the same response as `NextResponse.next()`. */
const passOn = () => new Response(null, { headers: { "x-middleware-next": "1" } });
const hello = () => new Response("hello");
const caller = () => "alice";

function limiterOf(name: string, limits: string) {
  const errors: unknown[] = [];
  const limiter = createLimiter<string>({
    name,
    layers: [{ name, key: (user) => user, limits }],
    clock: fakeClock(),
    onError: (error) => void errors.push(error),
  });
  const isFree = async () => (await limiter.peek("alice")).admitted;
  return { limiter, errors, isFree };
}

const rateLimitOf = async (origin: string) => {
  const { status, headers } = await fetch(origin);
  return { status, fields: headers.get("RateLimit"), retryAfter: headers.get("Retry-After") };
};

describe("a guard in Next's proxy and a guard on a route", () => {
  it("send the limits of both", async () => {
    const [site, chat] = [limiterOf("site", "5/hour").limiter, limiterOf("chat", "2/hour").limiter];
    const origin = await serve(rateLimit(site, { caller })(passOn), rateLimit(chat, { caller })(hello));
    const both = (left: number, leftToChat: number) =>
      `"site-per-hour";r=${left};t=3600, "chat-per-hour";r=${leftToChat};t=3600`;
    expect(await rateLimitOf(origin)).toEqual({ status: 200, fields: both(4, 1), retryAfter: null });
    expect(await rateLimitOf(origin)).toEqual({ status: 200, fields: both(3, 0), retryAfter: null });
    expect(await rateLimitOf(origin)).toEqual({ status: 429, fields: both(2, 0), retryAfter: "3600" });
  });

  it.each([
    ["proxy", "2/hour", "5/hour", "limit=2, remaining=1, reset=3600"],
    ["route", "5/hour", "2/hour", "limit=2, remaining=1, reset=3600"],
  ])(
    "send the tightest limit if the format has room for one limit: the limit of the %s",
    async (_, ofProxy, ofRoute, fields) => {
      const [site, chat] = [limiterOf("site", ofProxy).limiter, limiterOf("chat", ofRoute).limiter];
      const options = { caller, fields: "draft-7" } as const;
      const origin = await serve(rateLimit(site, options)(passOn), rateLimit(chat, options)(hello));
      expect((await rateLimitOf(origin)).fields).toBe(fields);
    },
  );

  it("send the limit of the proxy if the route has no guard, and if the proxy refuses", async () => {
    const site = limiterOf("site", "1/hour").limiter;
    const origin = await serve(rateLimit(site, { caller })(passOn), hello);
    const fields = '"site-per-hour";r=0;t=3600';
    expect(await rateLimitOf(origin)).toEqual({ status: 200, fields, retryAfter: null });
    expect(await rateLimitOf(origin)).toEqual({ status: 429, fields, retryAfter: "3600" });
  });

  it("send only the limit of the route if fields of the proxy's guard are turned off", async () => {
    const [site, chat] = [limiterOf("site", "5/hour").limiter, limiterOf("chat", "2/hour").limiter];
    const origin = await serve(
      rateLimit(site, { caller, fields: false })(passOn),
      rateLimit(chat, { caller })(hello),
    );
    expect((await rateLimitOf(origin)).fields).toBe('"chat-per-hour";r=1;t=3600');
  });

  it.each(["the same limiter", "a copy in another bundle"])(
    "charge a limiter once and report the second guard: %s",
    async (which) => {
      const { limiter: first } = limiterOf("chat", "5/hour");
      const copy = limiterOf("chat", "5/hour");
      const { limiter, errors } = copy;
      const ofProxy = which === "the same limiter" ? limiter : first;
      const origin = await serve(
        rateLimit(ofProxy, { caller })(passOn),
        rateLimit(limiter, { caller })(hello),
      );
      expect((await rateLimitOf(origin)).fields).toBe('"chat-per-hour";r=4;t=3600');
      expect(errors).toEqual([expect.objectContaining({ code: "guard-misplaced" })]);
    },
  );
});

describe("a guard in Next's proxy", () => {
  /** A response that sends one byte and never ends. */
  const unending = () =>
    new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) }));

  it("holds a place until the response of the route ends or the client disconnects", async () => {
    const { limiter, isFree } = limiterOf("chat", "1 concurrent");
    const origin = await serve(rateLimit(limiter, { caller })(passOn), unending);
    const request = requestOver(origin).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect([await isFree(), (await rateLimitOf(origin)).status]).toEqual([false, 429]);
    response.destroy();
    while (!(await isFree())) await new Promise((resolve) => setImmediate(resolve));
  });

  it("refunds the request by the status of the route", async () => {
    const { limiter } = limiterOf("site", "5/hour");
    const guard = rateLimit(limiter, { caller, refundWhen: (status) => status === 404 });
    const origin = await serve(guard(passOn), () => new Response(null, { status: 404 }));
    expect(await rateLimitOf(origin)).toMatchObject({ status: 404, fields: '"site-per-hour";r=5;t=0' });
  });

  it("without a Node.js response, writes its fields itself and reports that it cannot hold a place", async () => {
    const { limiter, errors } = limiterOf("site", "5/hour; 1 concurrent");
    const proxy = rateLimit(limiter, { caller })(passOn);
    for (const left of [4, 3]) {
      const { headers } = await proxy(new Request("http://localhost/"));
      expect(headers.get("RateLimit")).toContain(`"site-per-hour";r=${left};t=3600`);
    }
    expect(errors).toEqual([expect.any(HeadgateError)]);
    expect(String(errors[0])).toContain("A guard in Next's proxy released its request's places");
  });
});

describe("requests that are handled at the same time", () => {
  const paths = Array.from({ length: 20 }, (_, n) => n + 1);

  /** Makes guards that count by path, so that each path is a separate caller. */
  function guards() {
    const pathOf = (request: Request) => new URL(request.url).pathname.slice(1);
    const of = (name: string) => {
      const limiter = createLimiter<string>({
        name,
        layers: [{ name, key: (user) => user, limits: "500/hour" }],
        clock: fakeClock(),
      });
      return rateLimit(limiter, {
        caller: pathOf,
        // Each caller has a different cost, which shows in its fields.
        cost: (request: Request) => ({ requests: Number(pathOf(request)) }),
      });
    };
    /** Waits for all requests. The last one continues first. */
    const all = () => {
      let waiting: (() => void)[] = [];
      return async () => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length < paths.length) return;
          for (const goOn of waiting.reverse()) goOn();
          waiting = [];
        });
      };
    };
    const [allInProxy, allInRoute] = [all(), all()];
    const proxy = of("site")(async () => {
      await allInProxy();
      return passOn();
    });
    const route = of("chat")(async (request: Request) => {
      await allInRoute();
      return new Response(pathOf(request));
    });
    return { proxy, route };
  }
  const fieldsOf = (path: number) =>
    `"site-per-hour";r=${500 - path};t=3600, "chat-per-hour";r=${500 - path};t=3600`;

  it("each get their own fields, over connections that are reused", async () => {
    const { proxy, route } = guards();
    const origin = await serve(proxy, route);
    for (const round of [1, 2]) {
      const answers = await Promise.all(
        paths.map(async (path) => {
          const response = await fetch(`${origin}${path + 20 * (round - 1)}`);
          return [await response.text(), response.headers.get("RateLimit")];
        }),
      );
      const own = paths.map((path) => path + 20 * (round - 1));
      expect(answers).toEqual(own.map((path) => [String(path), fieldsOf(path)]));
    }
  });

  it("each get their own fields, if they are pipelined over one connection", async () => {
    const { proxy, route } = guards();
    const origin = new URL(await serve(proxy, route));
    const socket = connect(Number(origin.port), origin.hostname);
    const last = paths.length;
    socket.write(
      paths
        .map(
          (path) => `GET /${path} HTTP/1.1\r\nHost: x\r\n${path === last ? "Connection: close\r\n" : ""}\r\n`,
        )
        .join(""),
    );
    const fields = [...(await text(socket)).matchAll(/^RateLimit: (.*)$/gim)].map(([, value]) =>
      value?.trim(),
    );
    expect(fields).toEqual(paths.map(fieldsOf));
  });
});

describe("work that continues after the response", () => {
  it("is not part of that response: a guard that it calls decides by itself", async () => {
    const { limiter, errors, isFree } = limiterOf("site", "9/hour; 1 concurrent");
    const proxy = rateLimit(limiter, { caller })(passOn);
    let later: AsyncResource | undefined;
    const origin = await serve(proxy, () => {
      later = new AsyncResource("later");
      return hello();
    });
    expect((await rateLimitOf(origin)).fields).toContain('"site-per-hour";r=8;');
    while (!(await isFree())) await new Promise((resolve) => setImmediate(resolve));
    const again = await later?.runInAsyncScope(() => proxy(new Request("http://localhost/")));
    // The request is charged again but not held, because the response has ended.
    expect(again?.headers.get("RateLimit")).toContain('"site-per-hour";r=7;');
    expect(await isFree()).toBe(true);
    expect(errors).toHaveLength(1);
  });

  it("ends its admission immediately if the client has left", async () => {
    const { limiter, isFree } = limiterOf("site", "9/hour; 1 concurrent");
    let left: (() => void) | undefined;
    const waiting = new Promise<void>((resolve) => {
      left = resolve;
    });
    let began: (() => void) | undefined;
    const begun = new Promise<void>((resolve) => {
      began = resolve;
    });
    const proxy = rateLimit(limiter, { caller })(async () => {
      began?.();
      await waiting;
      return passOn();
    });
    let routed = false;
    const outgoing: ServerResponse[] = [];
    const note = (message: unknown) => outgoing.push((message as { response: ServerResponse }).response);
    channel("http.server.request.start").subscribe(note);
    onTestFinished(() => void channel("http.server.request.start").unsubscribe(note));
    const origin = await serve(proxy, () => {
      routed = true;
      return hello();
    });
    const request = requestOver(origin).end();
    request.on("error", () => {});
    await begun;
    expect(await isFree()).toBe(false);
    const [response] = outgoing;
    const closed = once(response as ServerResponse, "close");
    request.destroy();
    await closed;
    left?.();
    while (!routed) await new Promise((resolve) => setImmediate(resolve));
    expect(await isFree()).toBe(true);
  });
});
