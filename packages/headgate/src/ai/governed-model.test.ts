import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { inputTokens, reporting, type Script, scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { APICallError, generateText, streamText } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { governedModel, ProviderRefusedError } from "./governed-model.ts";
import type { CallOptions, LanguageModelV4 } from "./language-model.ts";
import { readProviderRefusal } from "./provider-refusal.ts";

interface Said {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

const refusedBy = ({ status = 429, headers = {}, body = {} }: Said) =>
  new APICallError({
    message: "Too many requests",
    url: "http://provider",
    requestBodyValues: {},
    statusCode: status,
    responseHeaders: headers,
    responseBody: JSON.stringify(body),
  });

const date = "Thu, 01 Jan 2026 00:00:00 GMT";
const gemini = (retryDelay: string) => ({
  error: {
    code: 429,
    status: "RESOURCE_EXHAUSTED",
    details: [{ "@type": "google.rpc.RetryInfo", retryDelay }],
  },
});

describe("a provider's refusal", () => {
  it.each<[string, Said, number]>([
    ["seconds", { headers: { "retry-after": "7" } }, 7000],
    ["milliseconds", { headers: { "retry-after-ms": "1200", "retry-after": "2" } }, 1200],
    ["a date, by its own clock", { headers: { "retry-after": "Thu, 01 Jan 2026 00:00:07 GMT", date } }, 7000],
    [
      "OpenAI's duration, for a quota with nothing left",
      {
        headers: {
          "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-reset-requests": "6m0s",
          "x-ratelimit-remaining-tokens": "9000",
          "x-ratelimit-reset-tokens": "1h30m",
        },
      },
      360_000,
    ],
    [
      "the longer of two quotas with nothing left",
      {
        headers: {
          "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-reset-requests": "20ms",
          "x-ratelimit-remaining-tokens": "0",
          "x-ratelimit-reset-tokens": "7.5s",
        },
      },
      7500,
    ],
    [
      "Anthropic's timestamp",
      {
        headers: {
          date,
          "anthropic-ratelimit-input-tokens-remaining": "0",
          "anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:00:07Z",
        },
      },
      7000,
    ],
    [
      "Azure's seconds",
      { headers: { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "7" } },
      7000,
    ],
    [
      "Azure's −1, which means no wait is known",
      { headers: { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "-1" } },
      5000,
    ],
    ["Gemini's delay, in the body", { body: gemini("7s") }, 7000],
    ["nothing", {}, 5000],
    ["nonsense", { headers: { "retry-after": "soon" } }, 5000],
    ["a week", { headers: { "retry-after": "604800" } }, 86_400_000],
    ["overload", { status: 529 }, 5000],
    [
      "a response that says that the provider is busy",
      { status: 503, headers: { "retry-after": "3" } },
      3000,
    ],
  ])("names a wait: %s", (_, said, waitMs) => {
    expect(readProviderRefusal(refusedBy(said))?.waitMs).toBe(waitMs);
  });

  it.each<[string, Said]>([
    ["OpenAI", { body: { error: { code: "insufficient_quota", type: "insufficient_quota" } } }],
    [
      "Anthropic",
      { status: 400, body: { error: { message: "Your credit balance is too low to access the API." } } },
    ],
    [
      "Gemini",
      {
        body: { error: { message: "You exceeded your quota, please check your plan and billing details." } },
      },
    ],
    ["others", { status: 402 }],
    [
      "a message about money that still names a wait",
      { headers: { "retry-after": "7" }, body: { code: "insufficient_quota" } },
    ],
  ])("is about money, without a wait: %s", (_, said) => {
    expect(readProviderRefusal(refusedBy(said))).toEqual({ reason: "money" });
  });

  it("is read from OpenAI's own client too", () => {
    const error = OpenAI.APIError.generate(
      429,
      { code: "rate_limit" },
      "slow down",
      new Headers({ "retry-after": "7" }),
    );
    expect(readProviderRefusal(error)).toEqual({ reason: "quota", waitMs: 7000 });
  });

  it.each([new Error("no"), undefined, null, "429", refusedBy({ status: 500 }), refusedBy({ status: 503 })])(
    "is not a refusal: %s",
    (error) => {
      expect(readProviderRefusal(error)).toBeUndefined();
    },
  );
});

/** A model that throws these errors in turn, and then answers. */
function failing(...errors: readonly unknown[]): LanguageModelV4 & { calls: CallOptions[] } {
  const script: Script = { says: ["Done."] };
  const model = scriptedModel(script);
  const { doGenerate, doStream } = model;
  const left = [...errors];
  const next = () => {
    if (left.length > 0) throw left.shift();
  };
  model.doGenerate = async (options) => {
    next();
    return doGenerate(options);
  };
  model.doStream = async (options) => {
    next();
    return doStream(options);
  };
  return model;
}

function governed(limits: string, model: LanguageModelV4, maxWaitMs = 60_000) {
  const clock = fakeClock();
  const layers = [{ name: "account", key: (account: string) => account, limits }];
  const limiter = createLimiter<string>({ name: "provider", layers, clock });
  const options = { caller: "ours", maxWaitMs, clock };
  const govern = (another: LanguageModelV4) => governedModel(another, limiter, options);
  const left = async () =>
    (await limiter.peek("ours", { cost: {} })).limits.map(({ remaining }) => remaining);
  return { clock, limiter, left, govern, model: govern(model) };
}

async function settled() {
  for (let n = 0; n < 200; n += 1) await Promise.resolve();
}

const ask = (model: LanguageModelV4, abortSignal?: AbortSignal) =>
  generateText({ model, prompt: "Hello", maxRetries: 0, ...(abortSignal ? { abortSignal } : {}) });

describe("a governed model", () => {
  it("waits for its quota before each attempt", async () => {
    const { model, clock } = governed("2/minute", failing());
    expect((await ask(model)).text).toBe("Done.");
    expect(await streamText({ model, prompt: "Hello" }).text).toBe("Done.");
    const third = ask(model);
    await settled();
    clock.advance(60_000);
    expect((await third).text).toBe("Done.");
  });

  it("refuses immediately if the wait exceeds maxWaitMs", async () => {
    const { model } = governed("1/minute", failing(), 59_000);
    await ask(model);
    const error = await ask(model).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProviderRefusedError);
    expect(error).toMatchObject({ reason: "quota", retryAfterSeconds: 60 });
  });

  it("makes all models of the account wait as long as the provider asks, and a longer wait wins", async () => {
    const busy = (seconds: string) => refusedBy({ headers: { "retry-after": seconds } });
    const { model, govern, clock } = governed("9/minute", failing(busy("7")));
    const other = failing(busy("20"), busy("2"));
    await expect(ask(model)).rejects.toThrow("Too many requests");
    const waiting = [ask(govern(other)), ask(model)];
    const failed = waiting[0]?.catch((error: unknown) => error);
    await settled();
    clock.advance(6999);
    await settled();
    expect(other.calls).toHaveLength(0);
    clock.advance(1);
    expect(await failed).toMatchObject({ statusCode: 429 });
    clock.advance(19_999);
    await settled();
    clock.advance(1);
    expect((await waiting[1])?.text).toBe("Done.");
  });

  it("does not wait if the refusal is about money", async () => {
    const { model } = governed("9/minute", failing(refusedBy({ status: 402 })));
    await expect(generateText({ model, prompt: "Hello", maxRetries: 5 })).rejects.toMatchObject({
      reason: "money",
      retryAfterSeconds: undefined,
    });
    expect((await ask(model)).text).toBe("Done.");
  });

  it("passes on any other error", async () => {
    const failure = new Error("no");
    const { model, left } = governed("9/minute; 1 concurrent", failing(failure));
    await expect(ask(model)).rejects.toBe(failure);
    expect(await left()).toEqual([8, 1]);
  });

  it("is charged the reported tokens once the answer has ended", async () => {
    const { model, left } = governed("9/minute; 1000 tokens/minute; 2 concurrent", failing());
    await ask(model);
    expect(await left()).toEqual([8, 1000 - inputTokens - 1, 2]);
    await streamText({ model, prompt: "Hello" }).consumeStream();
    expect(await left()).toEqual([7, 1000 - 2 * (inputTokens + 1), 2]);
  });

  it.each<[string, unknown]>([
    ["missing", undefined],
    ["not a number", { inputTokens: { total: Number.NaN }, outputTokens: { total: -1 } }],
  ])("is charged an estimate if the reported usage is %s", async (_, usage) => {
    const { model, left } = governed("9/minute; 1000 tokens/minute; 2 concurrent", reporting(usage));
    await model.doGenerate({ prompt: [] });
    const [, generated = 0] = await left();
    expect(generated).toBeLessThanOrEqual(980);
    const { stream } = await model.doStream({ prompt: [] });
    for await (const _ of stream);
    const [requests, streamed = 0, places] = await left();
    expect([requests, places]).toEqual([7, 2]);
    expect(streamed).toBeLessThanOrEqual(generated - 20);
    expect(streamed).toBeGreaterThan(900);
  });

  it("is charged what was read if the reader leaves", async () => {
    const says = Array.from({ length: 100 }, () => "tide ");
    const { model, left } = governed("9/minute; 1000 tokens/minute; 2 concurrent", scriptedModel({ says }));
    const { stream } = await model.doStream({ prompt: [] });
    const reader = stream.getReader();
    for (let n = 0; n < 50; n += 1) await reader.read();
    await reader.cancel();
    const [requests, tokens = 0, places] = await left();
    expect([requests, places]).toEqual([8, 2]);
    expect(tokens).toBeLessThanOrEqual(1000 - 48);
    expect(tokens).toBeGreaterThan(850);
  });

  it("stops waiting when its call is aborted", async () => {
    const { model, left } = governed("9/minute", failing(refusedBy({ headers: { "retry-after": "30" } })));
    await expect(ask(model)).rejects.toThrow("Too many requests");
    const leaving = new AbortController();
    const waiting = ask(model, leaving.signal);
    await settled();
    leaving.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
    expect(await left()).toEqual([8]);
  });

  it.each<[string, () => unknown]>([
    ["whose quota it spends", () => governedModel(failing(), limiterOf(), {} as never)],
    [
      "maxWaitMs of governedModel must be a whole number",
      () => governedModel(failing(), limiterOf(), { caller: "a", maxWaitMs: -1 }),
    ],
    ["a language model of AI SDK 7", () => governedModel({} as never, limiterOf(), { caller: "a" })],
  ])("throws for an invalid option, and names the fault: %s", (message, mistake) => {
    expect(mistake).toThrow(message);
  });
});

/** A model whose calls fail when the test makes them fail. */
function failingLater() {
  const model = scriptedModel({});
  const calls: ((error: unknown) => void)[] = [];
  model.doGenerate = () => new Promise((_, reject) => calls.push(reject));
  const fail = (seconds: number) =>
    calls.shift()?.(refusedBy({ headers: { "retry-after": String(seconds) } }));
  return { model: model as LanguageModelV4, fail, calls: () => calls.length };
}

const errorOf = (model: LanguageModelV4): Promise<ProviderRefusedError> =>
  ask(model).then(
    () => {
      throw new Error("The call was not refused.");
    },
    (error) => error,
  );

describe("attempts that the provider refuses one after the other", () => {
  it.each([
    [7, 600],
    [600, 7],
  ])("wait as long as the longer wait: %i s, then %i s", async (first, second) => {
    const { model, fail } = failingLater();
    const { model: governedOne } = governed("9/minute", model, 0);
    const attempts = [errorOf(governedOne), errorOf(governedOne)];
    await settled();
    fail(first);
    expect((await attempts[0])?.retryAfterSeconds).toBe(first);
    fail(second);
    expect((await attempts[1])?.retryAfterSeconds).toBe(second);
    expect((await errorOf(governedOne)).retryAfterSeconds).toBe(600);
  });
});

describe.each<[string, () => Promise<{ url: string; remove(): Promise<void> }>]>([
  ["Redis", () => startRedis()],
  ["PostgreSQL", () => startPostgres()],
])("over several processes that share %s", (_, start) => {
  let server: { url: string; remove(): Promise<void> };
  const limiters: Limiter<string>[] = [];
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(async () => {
    for (const limiter of limiters) await limiter.close();
    await server?.remove();
  });

  /** A governed model in a separate process. */
  async function processWith(model: LanguageModelV4, caller: string) {
    const quota = createLimiter<string>({
      name: "provider",
      layers: [{ name: "account", key: (account) => account, limits: "unlimited" }],
      store: server.url,
      // On a busy machine the store may answer late.
      timeouts: { storeMs: 20_000 },
    });
    limiters.push(quota);
    await quota.ready();
    return governedModel(model, quota, { caller, maxWaitMs: 0 });
  }

  it.each([
    [7, 600],
    [600, 7],
  ])("all of them wait as long as the longer wait: %i s, then %i s", async (first, second) => {
    const account = `ours ${first}`;
    const one = failingLater();
    const other = failingLater();
    const governedOne = await processWith(one.model, account);
    const governedOther = await processWith(other.model, account);
    const attempts = [errorOf(governedOne), errorOf(governedOther)];
    // Both calls are under way before one of them fails.
    await expect.poll(() => one.calls() + other.calls()).toBe(2);
    one.fail(first);
    expect((await attempts[0])?.retryAfterSeconds).toBe(first);
    other.fail(second);
    expect((await attempts[1])?.retryAfterSeconds).toBe(second);
    const refused = await errorOf(await processWith(failing(), account));
    expect(refused).toBeInstanceOf(ProviderRefusedError);
    expect(refused.retryAfterSeconds).toBeGreaterThan(570);
    expect(refused.retryAfterSeconds).toBeLessThanOrEqual(600);
    // A call for another account does not wait.
    expect((await ask(await processWith(failing(), "theirs"))).text).toBe("Done.");
  });
});

const limiterOf = () =>
  createLimiter<string>({ name: "provider", layers: [{ name: "all", key: () => "all", limits: "1/day" }] });
