import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import axios, { type AxiosInstance } from "axios";
import axiosRetry from "axios-retry";
import got from "got";
import ky from "ky";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rateLimit } from "../adapters/node.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { createClient, RateLimitedError } from "./index.ts";

/** The statuses that the server answered, in order. */
let answered: number[];
let server: Server;
let url: string;

/**
 * Admits one request a second, and refuses others with a wait of a second. The server's clock is stopped until the
 * second request arrives, so that this request is refused even on a slow machine.
 */
beforeEach(async () => {
  answered = [];
  let secondRequestMs: number | undefined;
  const clock = { now: () => Math.floor(secondRequestMs ? performance.now() - secondRequestMs : 0) };
  const layers = [{ name: "user", key: () => "ada", limits: "1/second" }];
  const limiter = createLimiter({ name: "chat", layers, clock });
  const guard = rateLimit(limiter, { caller: () => ({}) });
  const guarded = guard((_request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content: "fine" } }] }));
  });
  server = createServer((request, response) => {
    if (answered.length > 0) secondRequestMs ??= performance.now();
    response.on("finish", () => answered.push(response.statusCode));
    guarded(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/**
 * The second of two requests is refused. A client that waits as asked is then admitted. A client that does not wait is
 * refused again.
 */
async function expectsPatience(send: () => Promise<unknown>): Promise<void> {
  await send();
  await send();
  expect(answered).toEqual([200, 429, 200]);
}

function withRetries(instance: AxiosInstance): AxiosInstance {
  axiosRetry(instance, { retries: 2 });
  return instance;
}

describe("clients with their own retries wait as long as the server asks", () => {
  it("ky", () => expectsPatience(() => ky(url).json()));
  it("got", () => expectsPatience(() => got(url).json()));
  it("axios with axios-retry", () => expectsPatience(() => withRetries(axios.create()).get(url)));
  it("axios with axios-retry, on its fetch adapter", () =>
    expectsPatience(() => withRetries(axios.create({ adapter: "fetch" })).get(url)));
  it("the OpenAI SDK", () =>
    expectsPatience(() =>
      new OpenAI({ apiKey: "none", baseURL: url }).chat.completions.create({ model: "any", messages: [] }),
    ));
});

describe("other clients on top of our client also wait, and our client records the refusal", () => {
  const quiet = () => createClient({ share: false, throwOnRefusal: false });

  it("ky", async () => {
    const client = quiet();
    await expectsPatience(() => ky(url, { fetch: client.fetch }).json());
    expect(client.refusal()?.retryAfterSeconds).toBe(1);
  });

  it("axios", async () => {
    const client = quiet();
    const instance = axios.create({ adapter: "fetch", env: { fetch: client.fetch } });
    await expectsPatience(() => withRetries(instance).get(url));
    expect(client.refusal()?.retryAfterSeconds).toBe(1);
  });

  it("the OpenAI SDK", async () => {
    const client = quiet();
    const openai = new OpenAI({ apiKey: "none", baseURL: url, fetch: client.fetch });
    await expectsPatience(() => openai.chat.completions.create({ model: "any", messages: [] }));
    expect(client.refusal()?.retryAfterSeconds).toBe(1);
  });
});

describe("if our client retries or throws", () => {
  it("ky leaves the waiting to our client", async () => {
    const client = createClient({ share: false, retry: { maxWaitMs: 5000 } });
    await expectsPatience(() => ky(url, { fetch: client.fetch, retry: 0 }).json());
  });

  it("ky passes on our client's error", async () => {
    const client = createClient({ share: false });
    await ky(url, { fetch: client.fetch, retry: 0 });
    await expect(ky(url, { fetch: client.fetch, retry: 0 }).json()).rejects.toSatisfy(
      (error: Error) => error instanceof RateLimitedError || error.cause instanceof RateLimitedError,
    );
  });
});
