import { once } from "node:events";
import { type IncomingMessage, request as requestOver } from "node:http";
import { adapterSuite } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNext } from "./engines/next.ts";
import type { RunningEngine } from "./engines/process.ts";

const buildAndStartMs = 300_000;

let app: RunningEngine;
beforeAll(async () => {
  app = await startNext();
}, buildAndStartMs);
afterAll(() => app?.close());

const suite = adapterSuite({ serve: () => Promise.reject(new Error("It is served by Next.")) });

const ask = (path: string, user: string, init: RequestInit = {}) =>
  fetch(`${app.origin}${path}`, { ...init, headers: { "X-User": user } });

async function rateLimitOf(path: string, user: string, init?: RequestInit) {
  const response = await ask(path, user, init);
  await response.body?.cancel();
  const { status, headers } = response;
  // The application uses real time.
  return [status, headers.get("RateLimit")?.replaceAll(/;t=\d+/g, ";t=s"), headers.get("Retry-After")];
}

const post: RequestInit = { method: "POST" };

describe("a built Next application", () => {
  const state = (name: string, left: number) => `"${name}-per-hour";r=${left};t=s`;

  it("sends the limits of proxy and route together, and refuses by the route's limit", async () => {
    const both = (ofSite: number, ofChat: number) => `${state("site", ofSite)}, ${state("chat", ofChat)}`;
    const answers = [];
    for (let n = 0; n < 3; n += 1) answers.push(await rateLimitOf("/both", "alice", post));
    expect(answers).toEqual([
      [200, both(3, 1), null],
      [200, both(2, 0), null],
      [429, both(1, 0), expect.stringMatching(/^3\d+$/)],
    ]);
  });

  it.each([
    ["a page that is made at build time", "/page", {}],
    ["a server action", "/sign", post],
  ])("sends the proxy's fields for %s, and refuses by the proxy's limit", async (_, path, init) => {
    const form = path === "/sign" ? await actionOf(path) : {};
    const answers = [];
    for (let n = 0; n < 5; n += 1) answers.push(await rateLimitOf(path, path, { ...init, ...form }));
    expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200, 429]);
    expect(answers.map(([, fields]) => /^"site-per-hour";r=(\d)/.exec(String(fields))?.[1])).toEqual([
      ..."32100",
    ]);
  });

  it("charges once for a request whose proxy and route have the same limiter, and counts the routes together", async () => {
    const answers = [];
    for (const path of ["/shared/one", "/shared/two", "/shared/one", "/shared/two", "/shared/two"]) {
      answers.push(await rateLimitOf(path, "bob", post));
    }
    expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200, 429]);
  });

  it.each([
    ["a route's guard", "/stream"],
    ["the proxy's guard", "/held"],
  ])("passes a stream unbuffered, and frees its place when the client hangs up: %s", async (_, path) => {
    const request = requestOver(`${app.origin}${path}`, { headers: { "X-User": "carol" } }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const [piece] = await once(response, "data");
    expect([response.statusCode, String(piece)]).toEqual([200, "one\n"]);
    expect((await rateLimitOf(path, "carol"))[0]).toBe(429);
    response.destroy();
    await expect.poll(async () => (await rateLimitOf(path, "carol"))[0]).toBe(200);
  });

  it.each(suite.map(({ name }) => name))("adapterSuite, on headgate/next: %s", async (test) => {
    const answer = await fetch(`${app.origin}/suite?${new URLSearchParams({ test })}`);
    expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 204, text: "" });
  });
});

/** The request of a browser without scripts for the form of a page. */
async function actionOf(path: string): Promise<RequestInit> {
  const page = await (await ask(path, "somebody")).text();
  const body = new FormData();
  body.set(/\$ACTION_ID_[0-9a-f]+/.exec(page)?.[0] ?? "", "");
  return { body };
}
