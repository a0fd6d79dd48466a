import { describe, expect, it } from "vitest";
import { rateLimit } from "../../adapters/fetch.ts";
import type { Admission } from "../../core/admission.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { endWithBody } from "./ending.ts";

function onePlace() {
  const limiter = createLimiter<unknown>({
    name: "chat",
    layers: [{ name: "all", key: () => "all", limits: "1 concurrent" }],
  });
  const isFree = () => (limiter.peek(undefined) as Admission).admitted;
  const admit = () => ({ limiter, admission: limiter.admit(undefined) as Admission });
  return { limiter, isFree, admit };
}

const request = (method = "GET") => new Request("http://localhost/", { method });

/** A body of three chunks, and how many of them were read. */
function pieces(fails = false) {
  let asked = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        asked += 1;
        if (fails && asked === 2) controller.error(new Error("upstream"));
        else if (asked <= 3) controller.enqueue(new Uint8Array([asked]));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { body, asked: () => asked };
}

describe("endWithBody", () => {
  it("ends with the last chunk, and reads no chunk ahead", async () => {
    const { admit, isFree } = onePlace();
    const { body, asked } = pieces();
    const response = endWithBody(
      admit(),
      new Response(body, { status: 201, headers: { "x-own": "kept" } }),
      request(),
    );
    expect([response.status, response.headers.get("x-own"), asked(), isFree()]).toEqual([
      201,
      "kept",
      0,
      false,
    ]);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value).toEqual(new Uint8Array([1]));
    expect([asked(), isFree()]).toEqual([1, false]);
    await reader.read();
    await reader.read();
    expect(isFree()).toBe(false);
    expect((await reader.read()).done).toBe(true);
    expect(isFree()).toBe(true);
  });

  it("ends when the client hangs up, and cancels the body", async () => {
    const { admit, isFree } = onePlace();
    let reason: unknown;
    const body = new ReadableStream({
      cancel(given) {
        reason = given;
      },
    });
    await endWithBody(admit(), new Response(body), request()).body?.cancel("gone");
    expect([reason, isFree()]).toEqual(["gone", true]);
  });

  it("ends when the body fails", async () => {
    const { admit, isFree } = onePlace();
    const response = endWithBody(admit(), new Response(pieces(true).body), request());
    await expect(response.text()).rejects.toThrow("upstream");
    expect(isFree()).toBe(true);
  });

  it("ends at once without a body", () => {
    const { admit, isFree } = onePlace();
    const response = new Response(null, { status: 204 });
    expect(endWithBody(admit(), response, request())).toBe(response);
    expect(isFree()).toBe(true);
  });

  it("ends at once for a HEAD request, and if the body is already being read", () => {
    const head = onePlace();
    endWithBody(head.admit(), new Response("hello"), request("HEAD"));
    const locked = onePlace();
    const response = new Response("hello");
    response.body?.getReader();
    expect(endWithBody(locked.admit(), response, request())).toBe(response);
    expect([head.isFree(), locked.isFree()]).toEqual([true, true]);
  });

  it("returns the response unchanged if nothing is held", () => {
    const limiter = createLimiter<unknown>({
      name: "chat",
      layers: [{ name: "all", key: () => "all", limits: "5/minute" }],
    });
    const response = new Response("hello");
    expect(
      endWithBody({ limiter, admission: limiter.admit(undefined) as Admission }, response, request()),
    ).toBe(response);
  });
});

it("ends a request whose handler fails", async () => {
  const { limiter, isFree } = onePlace();
  const guarded = rateLimit(limiter, { caller: () => undefined })(async () => {
    throw new Error("handler");
  });
  await expect(guarded(new Request("http://localhost/"))).rejects.toThrow("handler");
  expect(isFree()).toBe(true);
});

it.each<[string, () => Response | undefined]>([
  ["nothing, as Bun does", () => undefined],
  ["a switch of protocols", () => ({ status: 101, headers: new Headers(), body: null }) as Response],
])("keeps the place of an upgraded connection: %s", async (_how, upgrade) => {
  const { limiter, isFree } = onePlace();
  const leaving = new AbortController();
  const guarded = rateLimit(limiter, { caller: () => undefined })(upgrade as () => Response);
  await guarded(new Request("http://localhost/", { signal: leaving.signal }));
  leaving.abort();
  expect(isFree()).toBe(false);
});

it("frees a place if the client leaves before there is a response", async () => {
  const { limiter, isFree } = onePlace();
  const leaving = new AbortController();
  const guarded = rateLimit(limiter, { caller: () => undefined })(() => new Promise<Response>(() => {}));
  void guarded(new Request("http://localhost/", { signal: leaving.signal }));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isFree()).toBe(false);
  leaving.abort();
  expect(isFree()).toBe(true);
});
