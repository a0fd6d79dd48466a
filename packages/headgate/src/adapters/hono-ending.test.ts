import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { Admission } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { rateLimit } from "./hono.ts";

/** Runs Hono like a runtime without Node's server, such as Bun, Deno or Workers: `app.fetch` gets only a `Request`. */
function onePlace(answer: () => Response | Promise<Response>, skip?: () => Promise<boolean>) {
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "all", key: () => "all", limits: "1 concurrent" }],
  });
  const isFree = () => (limiter.peek("a") as Admission).admitted;
  let handled = 0;
  const app = new Hono().use(
    rateLimit(limiter, { caller: () => "a", ...(skip === undefined ? {} : { skip }) }),
  );
  app.get("/", () => {
    handled += 1;
    return answer();
  });
  const leaving = new AbortController();
  const ask = (method = "GET") =>
    Promise.resolve(app.fetch(new Request("http://localhost/", { method, signal: leaving.signal })));
  return { ask, isFree, leave: () => leaving.abort(), handled: () => handled };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("headgate/hono without Node's server holds a place", () => {
  it("until the last chunk of the body is read", async () => {
    const { ask, isFree } = onePlace(() => new Response("hello"));
    const response = await ask();
    expect(isFree()).toBe(false);
    expect(await response.text()).toBe("hello");
    expect(isFree()).toBe(true);
  });

  it("until the response to HEAD is made", async () => {
    const { ask, isFree } = onePlace(() => new Response("hello"));
    await ask("HEAD");
    expect(isFree()).toBe(true);
  });

  it("until the client cancels the body", async () => {
    const { ask, isFree } = onePlace(() => new Response(new ReadableStream()));
    const response = await ask();
    expect(isFree()).toBe(false);
    await response.body?.cancel();
    expect(isFree()).toBe(true);
  });

  it("until the handler fails", async () => {
    const { ask, isFree } = onePlace(async () => {
      expect(isFree()).toBe(false);
      throw new Error("the handler's");
    });
    const response = await ask();
    expect(response.status).toBe(500);
    await response.text();
    expect(isFree()).toBe(true);
  });

  it("until the handler throws a value that is not an Error, which Hono rethrows", async () => {
    const { ask, isFree } = onePlace(() => Promise.reject("the handler's"));
    await expect(ask()).rejects.toBe("the handler's");
    expect(isFree()).toBe(true);
  });

  it("until the client leaves before there is a response", async () => {
    const { ask, isFree, leave } = onePlace(() => new Promise<Response>(() => {}));
    void ask();
    await settled();
    expect(isFree()).toBe(false);
    leave();
    expect(isFree()).toBe(true);
  });

  it("of an upgraded connection until the handler ends it", async () => {
    const upgraded = { status: 101, headers: new Headers(), body: null } as Response;
    const { ask, isFree, leave } = onePlace(() => upgraded);
    await ask().catch(() => {});
    leave();
    expect(isFree()).toBe(false);
  });
});

it("headgate/hono runs no handler for a client that leaves while skip waits", async () => {
  let goOn = () => {};
  const waiting = new Promise<boolean>((resolve) => {
    goOn = () => resolve(false);
  });
  const { ask, isFree, leave, handled } = onePlace(
    () => new Response("hello"),
    () => waiting,
  );
  const asked = ask();
  leave();
  goOn();
  await asked;
  expect([handled(), isFree()]).toEqual([0, true]);
});
