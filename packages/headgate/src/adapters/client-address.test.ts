import { createServer, type RequestListener, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveNestCaller } from "@headgate/test-servers/frameworks/nest.ts";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import { fastify } from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { describe, expect, it, vi } from "vitest";
import type { ClientAddress } from "../http/address/client-address.ts";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import * as ofExpress from "./express.ts";
import * as ofFastify from "./fastify.ts";
import * as ofFetch from "./fetch.ts";
import * as ofHono from "./hono.ts";
import * as ofKoa from "./koa.ts";
import * as ofNest from "./nest.ts";
import * as ofNext from "./next.ts";
import * as ofNode from "./node.ts";

function limiterOf(onError = vi.fn()) {
  const keys: string[] = [];
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "ip", key: (ip) => ip, limits: "2/minute" }],
    onDecision: ({ partitions }) => void keys.push(partitions[0]?.key ?? "none"),
    onError,
  });
  return { limiter, keys, onError };
}

type Serve = (
  limiter: Limiter<string>,
  where: { path: string } | { port: 0; host: string },
  peer?: () => null | undefined,
) => Promise<Served>;

/** Returns the `clientAddress` of an adapter, or a version with another `peer`. */
function addressBy<Given extends readonly unknown[]>(
  address: ClientAddress<Given>,
  peer: (() => null | undefined) | undefined,
): (...given: Given) => string {
  return peer === undefined ? address : address.with({ peer });
}
interface Served {
  readonly port: number;
  close(): Promise<unknown>;
}

async function listening(listener: RequestListener, where: object): Promise<Served> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}

/** A usual guard for each Node.js framework. */
const frameworks: Record<string, Serve> = {
  node: (limiter, where, peer) =>
    listening(
      ofNode.rateLimit(limiter, { caller: addressBy(ofNode.clientAddress, peer) })((_request, response) =>
        response.end("ok"),
      ),
      where,
    ),
  express: (limiter, where, peer) =>
    listening(
      express()
        .use(ofExpress.rateLimit(limiter, { caller: addressBy(ofExpress.clientAddress, peer) }))
        .use((_request, response) => void response.send("ok")),
      where,
    ),
  async fastify(limiter, where, peer) {
    const app = fastify();
    app.get(
      "/",
      { onRequest: ofFastify.rateLimit(limiter, { caller: addressBy(ofFastify.clientAddress, peer) }) },
      () => "ok",
    );
    await app.listen(where);
    const address = app.server.address();
    return { port: typeof address === "object" ? (address?.port ?? 0) : 0, close: () => app.close() };
  },
  koa: (limiter, where, peer) =>
    listening(
      new Koa()
        .use(ofKoa.rateLimit(limiter, { caller: addressBy(ofKoa.clientAddress, peer) }))
        .use((context) => {
          context.body = "ok";
        })
        .callback(),
      where,
    ),
  async hono(limiter, where, peer) {
    const app = new Hono();
    app.get("/", ofHono.rateLimit(limiter, { caller: addressBy(ofHono.clientAddress, peer) }), (c) =>
      c.text("ok"),
    );
    const server = createAdaptorServer({ fetch: app.fetch });
    await new Promise<void>((resolve) => server.listen(where, resolve));
    const address = server.address();
    return {
      port: typeof address === "object" ? (address?.port ?? 0) : 0,
      close: () => new Promise((resolve) => server.close(resolve)),
    };
  },
  nest: (limiter, where, peer) =>
    serveNestCaller(ofNest.rateLimit(limiter, { caller: addressBy(ofNest.clientAddress, peer) }), where),
};

function statusOf(to: object, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ ...to, headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    })
      .once("error", reject)
      .end();
  });
}

describe.each(Object.entries(frameworks))("clientAddress of headgate/%s", (name, serveBy) => {
  it("returns the peer, or the address that a trusted proxy reports", async () => {
    const { limiter, keys, onError } = limiterOf();
    const { port, close } = await serveBy(limiter, { port: 0, host: "127.0.0.1" });
    const to = { host: "127.0.0.1", port };
    try {
      expect([await statusOf(to), await statusOf(to), await statusOf(to)]).toEqual([200, 200, 429]);
      expect(await statusOf(to, { "X-Forwarded-For": "9.9.9.9, 198.51.100.7" })).toBe(200);
    } finally {
      await close();
    }
    expect(keys).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1", "198.51.100.7"]);
    expect(onError).not.toHaveBeenCalled();
  });

  it("treats a Unix socket as a trusted proxy on this machine", async () => {
    const { limiter, keys } = limiterOf();
    const path = join(tmpdir(), `headgate-${process.pid}-${name}.sock`);
    const { close } = await serveBy(limiter, { path });
    try {
      expect(await statusOf({ socketPath: path }, { "X-Forwarded-For": "9.9.9.9, 198.51.100.7" })).toBe(200);
      expect(await statusOf({ socketPath: path })).toBe(200);
    } finally {
      await close();
    }
    expect(keys).toEqual(["198.51.100.7", "127.0.0.1"]);
  });

  it.each<[string, () => null | undefined]>([
    ["has no sockets", () => null],
    ["does not know the peer", () => undefined],
  ])(
    "counts requests as unidentified if the server %s, reports one error, and trusts no header",
    async (_, peer) => {
      const { limiter, keys, onError } = limiterOf();
      const { port, close } = await serveBy(limiter, { port: 0, host: "127.0.0.1" }, peer);
      const statuses: number[] = [];
      try {
        for (const forged of ["198.51.100.1", "198.51.100.2", "198.51.100.3"])
          statuses.push(await statusOf({ host: "127.0.0.1", port }, { "X-Forwarded-For": forged }));
      } finally {
        await close();
      }
      expect(statuses).toEqual([200, 200, 429]);
      expect(new Set(keys)).toEqual(new Set(["\u0000unidentified"]));
      expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "address-unknown" })]]);
    },
  );
});

describe("clientAddress, if the peer is not known,", () => {
  const next = ofNext.rateLimit;

  it("throws when a guard of Next is created without a platform", () => {
    const { limiter } = limiterOf();
    expect(() => next(limiter, { caller: ofNext.clientAddress })).toThrow(
      'clientAddress of headgate/next knows no peer here: name the platform in front, as in clientAddress.with({ trust: "vercel" })',
    );
    expect(() => ofNext.clientAddress.with({})).toThrow("knows no peer here");
    expect(() => ofNext.clientAddress.with({ trust: "private" })).toThrow(
      'and "private" trusts no header without a peer',
    );
    expect(() => ofNext.clientAddress.with({ trust: "cloudflare" })).toThrow("knows no peer here");
  });

  it.each([
    ["vercel", { "X-Vercel-Forwarded-For": "198.51.100.7", "X-Forwarded-For": "9.9.9.9" }],
    [1, { "X-Forwarded-For": "9.9.9.9, 198.51.100.7" }],
  ])("reads the header of the platform in front of Next: %s", async (trust, headers) => {
    const { limiter, keys } = limiterOf();
    const guard = next(limiter, { caller: ofNext.clientAddress.with({ trust }) });
    await guard(() => new Response("ok"))(new Request("http://localhost/", { headers }));
    expect(keys).toEqual(["198.51.100.7"]);
  });

  it("counts requests to Next without the platform's header as unidentified, and reports one error", async () => {
    const { limiter, keys, onError } = limiterOf();
    const guard = next(limiter, { caller: ofNext.clientAddress.with({ trust: "vercel" }) });
    const guarded = guard(() => new Response("ok"));
    const statuses: number[] = [];
    for (const forged of ["198.51.100.1", "198.51.100.2", "198.51.100.3"]) {
      const request = new Request("http://localhost/", { headers: { "X-Forwarded-For": forged } });
      statuses.push((await guarded(request)).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    expect(new Set(keys)).toEqual(new Set(["\u0000unidentified"]));
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "address-unknown" })]]);
  });

  it("counts requests to a fetch handler as unidentified, and reports one error", async () => {
    const { limiter, keys, onError } = limiterOf();
    const guarded = ofFetch.rateLimit(limiter, { caller: ofFetch.clientAddress })(() => new Response("ok"));
    const forged = { "X-Forwarded-For": "198.51.100.7", "CF-Connecting-IP": "198.51.100.7" };
    const statuses = [];
    for (let n = 0; n < 3; n += 1)
      statuses.push((await guarded(new Request("http://localhost/", { headers: forged }))).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(keys).not.toContain("198.51.100.7");
    expect(new Set(keys).size).toBe(1);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "address-unknown" })]]);
  });

  it("counts requests to Hono without a connection as unidentified, and reports one error", async () => {
    const { limiter, keys, onError } = limiterOf();
    const app = new Hono();
    app.get("/", ofHono.rateLimit(limiter, { caller: ofHono.clientAddress }), (c) => c.text("ok"));
    for (let n = 0; n < 3; n += 1) await app.request("/", { headers: { "X-Forwarded-For": "198.51.100.7" } });
    expect(keys).not.toContain("198.51.100.7");
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "address-unknown" })]]);
  });

  it("trusts no header after the client has disconnected", async () => {
    const gone = { socket: { remoteAddress: undefined }, headers: { "x-forwarded-for": "198.51.100.7" } };
    for (const trust of ["private", 1, "first", "nginx", "vercel", "cloudflare"]) {
      expect(() => ofNode.clientAddress.with({ trust })(gone as never)).toThrow("its connection has closed");
    }
  });

  it("does not treat a disconnected client as a Unix socket", async () => {
    const { limiter } = limiterOf();
    const addresses: unknown[] = [];
    let answered: () => void = () => {};
    const seen = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const { port, close } = await listening(
      (incoming) => {
        incoming.socket.once("close", () => {
          try {
            addresses.push(ofNode.clientAddress.with({ trust: 1 })(incoming));
          } catch (error) {
            addresses.push((error as { code?: unknown }).code);
          }
          answered();
        });
      },
      { port: 0, host: "127.0.0.1" },
    );
    const socket = connect(port, "127.0.0.1", () => {
      socket.write("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n", () =>
        socket.resetAndDestroy(),
      );
    });
    await seen;
    await close();
    await limiter.close();
    expect(addresses).toEqual(["address-unknown"]);
  });
});

describe("the peer of clientAddress", () => {
  const ask = (headers: Record<string, string> = {}) => new Request("http://localhost/", { headers });
  const forwarded = { "X-Forwarded-For": "198.51.100.7" };

  it.each<[string, unknown[], Record<string, string>, string]>([
    [
      "comes from the server of Bun",
      [{ requestIP: () => ({ address: "203.0.113.9" }) }],
      forwarded,
      "203.0.113.9",
    ],
    [
      "comes from the server of Bun behind a proxy",
      [{ requestIP: () => ({ address: "::ffff:10.0.0.1" }) }],
      forwarded,
      "198.51.100.7",
    ],
    [
      "comes from the info object of Deno",
      [{ remoteAddr: { transport: "tcp", hostname: "203.0.113.9", port: 1 } }],
      forwarded,
      "203.0.113.9",
    ],
    [
      "comes from the info object of Deno on a Unix socket",
      [{ remoteAddr: { transport: "unix", path: "/run/x.sock" } }],
      forwarded,
      "198.51.100.7",
    ],
    [
      "comes from the event of SvelteKit",
      [{ getClientAddress: () => "203.0.113.9" }],
      forwarded,
      "203.0.113.9",
    ],
    [
      "comes from any later argument",
      [{ KV: {} }, { requestIP: () => ({ address: "203.0.113.9" }) }],
      {},
      "203.0.113.9",
    ],
  ])("%s", (_what, rest, headers, expected) => {
    expect(ofFetch.clientAddress(ask(headers), ...rest)).toBe(expected);
  });

  it("is found by a guard around a fetch handler", async () => {
    const { limiter, keys } = limiterOf();
    const guarded = ofFetch.rateLimit(limiter, { caller: ofFetch.clientAddress })(
      (_request: Request, _server: { requestIP(request: Request): { address: string } | null }) =>
        new Response("ok"),
    );
    await guarded(ask(), { requestIP: () => ({ address: "203.0.113.9" }) });
    expect(keys).toEqual(["203.0.113.9"]);
  });

  it("is not read from a Worker binding, which seems to have every method", () => {
    const binding: object = new Proxy({}, { get: () => () => binding });
    const read = ofHono.clientAddress.with({ trust: 1 });
    const c = { req: { raw: ask(forwarded) }, env: { server: binding } };
    expect(() => read(c as never)).toThrow("its connection has closed");
    const guarded = ofFetch.clientAddress.with({ trust: "cloudflare-workers" });
    expect(guarded(ask({ "CF-Connecting-IP": "198.51.100.7" }), { API: binding })).toBe("198.51.100.7");
  });

  it("is unknown if Bun does not report it, and no header is trusted", () => {
    const read = ofFetch.clientAddress.with({ trust: 1 });
    expect(() => read(ask(forwarded), { requestIP: () => null })).toThrow("its connection has closed");
  });

  it("is unknown if the runtime fails to read it, and the error says why", () => {
    const cause = new Error("prerendering");
    const getClientAddress = () => {
      throw cause;
    };
    const event = { getClientAddress } as never;
    expect(() => ofFetch.clientAddress(new Request("http://localhost/"), event)).toThrow(
      expect.objectContaining({ code: "address-unknown", cause }),
    );
  });

  it("can be read by the peer option", () => {
    const read = ofFetch.clientAddress.with({
      peer: (request) => request.headers.get("x-peer") ?? undefined,
    });
    expect(read(ask({ "X-Peer": "10.0.0.1", ...forwarded }))).toBe("198.51.100.7");
    expect(() => read(ask(forwarded))).toThrow("its connection has closed");
  });

  it("is not needed in a Worker, because Cloudflare writes the header", () => {
    const read = ofFetch.clientAddress.with({ trust: "cloudflare-workers" });
    expect(read(ask({ "CF-Connecting-IP": "198.51.100.7" }), { KV: {} }, { waitUntil: () => {} })).toBe(
      "198.51.100.7",
    );
    expect(() =>
      ofFetch.clientAddress.with({ trust: "cloudflare" })(ask({ "CF-Connecting-IP": "9.9.9.9" })),
    ).toThrow('"cloudflare" trusts no header without a peer');
  });
});

describe("invalid options of clientAddress", () => {
  it.each<[unknown, string]>([
    [undefined, "clientAddress.with takes an object such as"],
    ["cloudflare", 'got "cloudflare"'],
    [{ trustProxy: 1 }, 'clientAddress.with has no option "trustProxy"'],
    [{ trust: "cloudfare" }, 'Cannot read "cloudfare"'],
    [{ trust: -1 }, 'Cannot read "-1"'],
    [{ trust: 1.5 }, 'Cannot read "1.5"'],
    [{ trust: true }, "trust of clientAddress.with must be text such as"],
    [{ peer: "x-real-ip" }, 'peer of clientAddress.with must be a function of the request, got "x-real-ip"'],
  ])("clientAddress.with(%j) throws", (options, message) => {
    expect(() => ofNode.clientAddress.with(options as never)).toThrow(message);
  });

  it("clientAddress throws if it gets options instead of a request", () => {
    expect(() => ofNode.clientAddress({ trust: "cloudflare" } as never)).toThrow(
      "Settings go into clientAddress.with({ trust }).",
    );
  });
});
