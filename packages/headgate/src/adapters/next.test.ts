import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";
import { admissionOf, rateLimit } from "./next.ts";

/** Like Next's classes: a request with cookies, and a response that sets cookies. */
class RouteRequest extends Request {
  get cookies() {
    return { get: (name: string) => this.headers.get("Cookie")?.match(`${name}=([^;]*)`)?.[1] };
  }
}
interface Context {
  params: Promise<{ id: string }>;
}

const limiterOf = (limits: string) =>
  createLimiter<string>({ name: "chat", layers: [{ name: "user", key: (user) => user, limits }] });
const context: Context = { params: Promise.resolve({ id: "7" }) };
const requestOf = (user: string) =>
  new RouteRequest("http://localhost/api/7", { method: "POST", headers: { Cookie: `user=${user}` } });

describe("on Next", () => {
  it("passes on the route's context, and accepts a Next request", async () => {
    const guard = rateLimit(limiterOf("1/hour"), {
      caller: (request: RouteRequest) => request.cookies.get("user") ?? "",
    });
    const POST = guard(async (request, { params }: Context) => {
      const left = admissionOf(request)?.tightest?.remaining;
      return Response.json({ id: (await params).id, user: request.cookies.get("user"), left });
    });
    const response = await POST(requestOf("a"), context);
    expect(await response.json()).toEqual({ id: "7", user: "a", left: 0 });
    expect(response.headers.get("RateLimit")).toBe('"user-per-hour";r=0;t=3600');
    const statuses = [await POST(requestOf("a"), context), await POST(requestOf("b"), context)];
    expect(statuses.map(({ status }) => status)).toEqual([429, 200]);
  });

  it("passes on errors of redirect() and notFound(), and counts the request", async () => {
    const thrown = Object.assign(new Error("NEXT_REDIRECT"), { digest: "NEXT_REDIRECT;replace;/login;307;" });
    const GET = rateLimit(limiterOf("1/hour"), { caller: () => "x" })(() => {
      throw thrown;
    });
    await expect(GET(requestOf("a"))).rejects.toBe(thrown);
    expect((await GET(requestOf("a"))).status).toBe(429);
  });

  const redirect = (status: number) => {
    throw Object.assign(new Error("NEXT_REDIRECT"), { digest: `NEXT_REDIRECT;replace;/slow?a;b;${status};` });
  };

  it("allows redirect() in onRefused", async () => {
    const guard = rateLimit(limiterOf("1/hour"), { caller: () => "x", onRefused: () => redirect(307) });
    const GET = guard(() => new Response("hello"));
    await GET(requestOf("a"));
    await expect(GET(requestOf("a"))).rejects.toThrow("NEXT_REDIRECT");
  });

  it("passes the status of redirect(), notFound() and errors to refundWhen", async () => {
    const seen: number[] = [];
    const guard = rateLimit(limiterOf("1/hour"), {
      caller: () => "x",
      refundWhen: (status) => seen.push(status) > 0,
    });
    const failing = async (error: unknown) => {
      await expect(guard(() => Promise.reject(error))(requestOf("a"))).rejects.toBe(error);
    };
    await expect(guard(() => redirect(303))(requestOf("a"))).rejects.toThrow("NEXT_REDIRECT");
    await failing(Object.assign(new Error("not found"), { digest: "NEXT_HTTP_ERROR_FALLBACK;404" }));
    await failing(new Error("the handler's"));
    await failing(undefined);
    expect((await guard(() => new Response(null, { status: 204 }))(requestOf("a"))).status).toBe(204);
    expect(seen).toEqual([303, 404, 500, 500, 204]);
  });
});

describe("types of headgate/next", () => {
  it("allow a handler with a more specific request type than its guard, but not the reverse", () => {
    const limiter = limiterOf("5/hour");
    const guard = rateLimit(limiter, { caller: (request) => request.headers.get("x-user") ?? "" });
    const POST: (request: RouteRequest, context: Context) => Response | Promise<Response> = guard(
      (request: RouteRequest, _context: Context) => new Response(request.cookies.get("user")),
    );
    expect(POST).toBeTypeOf("function");
    // @ts-expect-error a function of a Node.js request
    rateLimit(limiter, { caller: (incoming: IncomingMessage) => incoming.url ?? "" });
    const ofCookies = rateLimit(limiter, {
      caller: (request: RouteRequest) => request.cookies.get("u") ?? "",
    });
    const guarded = ofCookies((_request: Request) => new Response());
    // @ts-expect-error the guard would get a request without cookies
    const anyRequest: (request: Request) => unknown = guarded;
    expect(anyRequest).toBe(guarded);
  });
});
