import { inputTokens, reporting, type Script, scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { generateText, isStepCount, streamText, tool } from "ai";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import type { Admitted } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { createEstimator } from "./estimate/estimator.ts";
import { type MeterOptions, meter } from "./meter.ts";

afterEach(() => vi.useRealTimers());

const words = (count: number) => Array.from({ length: count }, () => "tide ");

interface Left {
  readonly requests: number;
  readonly tokens: number;
  readonly places: number;
}

/** Admits a request under `9/minute; 2000 tokens/day; 3 concurrent`. Also returns what is left of these limits. */
async function begin(options: MeterOptions = {}, { tokens = 2000, hold = 300 } = {}) {
  const clock = fakeClock();
  const limits = `9/minute; ${tokens} tokens/day; 3 concurrent`;
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits }],
    clock,
  });
  const left = (): Left => {
    const peek = limiter.peek("ada", { cost: { requests: 0, tokens: 0, concurrent: 0 } });
    const [requests, all, places] = (peek as Awaited<typeof peek>).limits.map(({ remaining }) => remaining);
    return { requests: requests ?? -1, tokens: all ?? -1, places: places ?? -1 };
  };
  const admission = (await limiter.admit("ada", { cost: { tokens: hold } })) as Admitted;
  const metered = meter(admission, {
    estimator: createEstimator(),
    onError: (error) => expect(error).toBeUndefined(),
    ...options,
  });
  return { admission, metered, left, limiter };
}

const prompt = "Tell me about the tide.";

/** Streams an answer to a client that reads all of it, or leaves after some chunks. */
async function respond(
  script: Script,
  options: MeterOptions = {},
  leavesAfter = Number.POSITIVE_INFINITY,
  start = {},
) {
  const { metered, left } = await begin(options, start);
  const model = scriptedModel(script);
  const result = streamText({ model: metered.model(model), prompt, maxRetries: 0, onError: () => {} });
  const response = metered.bind(
    result.toUIMessageStreamResponse({ messageMetadata: metered.messageMetadata }),
  );
  const text = await read(response, leavesAfter).catch(String);
  const end = await metered.ended;
  return { text, end, left: left(), model, metered };
}

async function read(response: Response, leavesAfter: number): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let n = 0; n < leavesAfter; n += 1) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel("left");
  return text;
}

describe("an answer that is read to its end", () => {
  it("is charged what the provider reports", async () => {
    const { end, left, text } = await respond({ says: words(100) });
    expect(end).toMatchObject({ how: "finished", charged: { tokens: inputTokens + 100 }, estimated: false });
    expect(left).toEqual({ requests: 8, tokens: 2000 - inputTokens - 100, places: 3 });
    expect(text).toContain("tide");
  });

  it("extends its hold while it grows, and frees what it did not use", async () => {
    const { end, left } = await respond({ says: words(1500) });
    expect(end).toMatchObject({ how: "finished", charged: { tokens: inputTokens + 1500 } });
    expect(left).toEqual({ requests: 8, tokens: 460, places: 3 });
  });

  it("is charged an estimate if the provider reports nothing", async () => {
    const { end, left } = await respond({ says: words(100), usage: "absent" });
    expect(end).toMatchObject({ how: "finished", estimated: true });
    const { tokens } = end.charged as { tokens: number };
    expect(tokens).toBeGreaterThanOrEqual(100 + 6);
    expect(tokens).toBeLessThan(100 * 3);
    expect(left.tokens).toBe(2000 - tokens);
  });

  it("costs nothing if the provider reports 0", async () => {
    const { end, left } = await respond({ says: words(5), usage: { input: 0, output: 0 } });
    expect(end).toMatchObject({ how: "finished", charged: { tokens: 0 }, estimated: false });
    expect(left).toEqual({ requests: 8, tokens: 2000, places: 3 });
  });

  it("weighs each kind of token", async () => {
    const usage = { input: 100, output: 50, cacheRead: 80, reasoning: 20 };
    const weights = { output: 4, cacheRead: 0.1, reasoning: 5 };
    const { end } = await respond({ says: words(5), usage }, { weights });
    expect(end.used).toEqual({ input: 20, cacheRead: 80, cacheWrite: 0, output: 30, reasoning: 20 });
    expect(end.charged).toEqual({ tokens: 20 + 8 + 4 * 30 + 5 * 20 });
  });

  it("has its cost and the remaining quota in its metadata", async () => {
    const { text } = await respond({ says: words(10) });
    const finish = JSON.parse(/data: (\{"type":"finish".*\})/.exec(text)?.[1] ?? "{}");
    expect(finish.messageMetadata.headgate).toEqual({
      used: { input: inputTokens, cacheRead: 0, cacheWrite: 0, output: 10, reasoning: 0 },
      limits: [
        {
          name: "user-per-minute",
          quota: 9,
          unit: "requests",
          windowSeconds: 60,
          remaining: 8,
          resetSeconds: 60,
        },
        {
          name: "user-tokens-per-day",
          quota: 2000,
          unit: "tokens",
          windowSeconds: 86_400,
          remaining: 1950,
          resetSeconds: 30,
        },
      ],
    });
  });
});

describe("an answer that the budget ends", () => {
  it("ends cleanly, with a reason and the wait, and does not overshoot", async () => {
    const { end, left, text, model } = await respond({ says: words(5000), usage: "absent" }, {}, undefined, {
      tokens: 1000,
    });
    expect(end).toMatchObject({ how: "budget", estimated: true });
    expect(end.refused?.retryAfterSeconds).toBe(22_119);
    expect(text).toContain('"finishReason":"length"');
    expect(text).toMatch(/"type":"text-end".*\n\ndata: \{"type":"finish-step"/s);
    expect(text).toContain(
      '"budget":{"retryAfterSeconds":22119,"waitsFor":"window","limit":"user-tokens-per-day"}',
    );
    expect(left).toEqual({ requests: 8, tokens: 0, places: 3 });
    const { tokens } = end.charged as { tokens: number };
    expect(tokens).toBeLessThan(1000 + 256);
    expect(model.cancelled).toBe(1);
    expect(model.said).toBeLessThanOrEqual(1000);
  });

  it("does not begin if even the prompt is not affordable", async () => {
    const { metered, left } = await begin({}, { tokens: 400, hold: 10 });
    const model = scriptedModel({ says: words(5) });
    const result = streamText({ model: metered.model(model), prompt: "tide ".repeat(2000) });
    const text = await read(metered.bind(result.toUIMessageStreamResponse()), Number.POSITIVE_INFINITY);
    expect(text).toContain('"finishReason":"length"');
    expect(await metered.ended).toMatchObject({ how: "budget", charged: "nothing" });
    expect([left(), model.calls.length]).toEqual([{ requests: 9, tokens: 400, places: 3 }, 0]);
  });

  it("limits the output to what is affordable", async () => {
    const { metered } = await begin({}, { tokens: 1000 });
    const model = scriptedModel({ says: words(3) });
    await streamText({ model: metered.model(model), prompt, maxOutputTokens: 5000 }).consumeStream();
    expect(model.calls[0]?.maxOutputTokens).toBeGreaterThan(900);
    expect(model.calls[0]?.maxOutputTokens).toBeLessThan(1000);
  });
});

describe("an answer that fails", () => {
  it.each<NonNullable<Script["fails"]>>(["call", "first"])(
    "before its first token (%s) costs nothing",
    async (fails) => {
      const { end, left } = await respond({ says: words(10), fails });
      expect(end).toMatchObject({ how: "failed", charged: "nothing" });
      expect(left).toEqual({ requests: 9, tokens: 2000, places: 3 });
    },
  );

  it.each<NonNullable<Script["fails"]>>(["midway", "socket"])(
    "later (%s) costs what was written",
    async (fails) => {
      const { end, left } = await respond({ says: words(100), fails });
      expect(end).toMatchObject({ how: "failed", estimated: true });
      const { tokens } = end.charged as { tokens: number };
      expect(tokens).toBeGreaterThan(50);
      expect(tokens).toBeLessThan(200);
      expect(left).toEqual({ requests: 8, tokens: 2000 - tokens, places: 3 });
    },
  );

  it("is charged once if another attempt succeeds", async () => {
    const { metered, left } = await begin();
    const broken = scriptedModel({ fails: "call" });
    const whole = scriptedModel({ says: words(20) });
    const attempt = (model: typeof broken) =>
      streamText({ model: metered.model(model), prompt, maxRetries: 0, onError: () => {} }).consumeStream();
    await attempt(broken);
    await attempt(whole);
    expect(await metered.end()).toMatchObject({ how: "finished", charged: { tokens: inputTokens + 20 } });
    expect(left().tokens).toBe(2000 - inputTokens - 20);
  });
});

describe("a call of the model", () => {
  it.each<[string, number, number | undefined]>([
    ["is limited to what is affordable if little is affordable", 2000, 1990],
    [
      "is not limited if much is affordable, because the model may not accept so high a limit",
      9000,
      undefined,
    ],
  ])("without maxOutputTokens %s", async (_, tokens, most) => {
    const { metered } = await begin({}, { tokens });
    const model = scriptedModel({ says: words(3) });
    await streamText({ model: metered.model(model), prompt }).consumeStream();
    if (most === undefined) expect(model.calls[0]?.maxOutputTokens).toBeUndefined();
    else expect(model.calls[0]?.maxOutputTokens).toBeLessThan(most);
  });

  it.each(["the caller", "the meter"])("is aborted by %s", async (who) => {
    const { metered } = await begin();
    const caller = new AbortController();
    const model = scriptedModel({ hangs: "call" });
    const asked = metered.model(model).doStream({ prompt: [], abortSignal: caller.signal });
    await vi.waitFor(() => expect(model.calls).toHaveLength(1));
    const signal = model.calls[0]?.abortSignal as AbortSignal;
    expect(signal.aborted).toBe(false);
    if (who === "the caller") caller.abort(new Error("left"));
    else void metered.end();
    await expect(asked).rejects.toThrow(who === "the caller" ? "left" : "over");
    expect(signal.aborted).toBe(true);
  });

  it("that answers after the response has ended is cancelled", async () => {
    const { metered } = await begin();
    const caller = new AbortController();
    const model = scriptedModel({ says: words(3) });
    const { doStream } = model;
    let answer = () => {};
    model.doStream = async (options) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      // A model that ignores the signal.
      return doStream({ ...options, abortSignal: new AbortController().signal });
    };
    const asked = metered.model(model).doStream({ prompt: [], abortSignal: caller.signal });
    caller.abort(new Error("left"));
    await expect(asked).rejects.toThrow("left");
    answer();
    await vi.waitFor(() => expect(model.cancelled).toBe(1));
  });
});

describe("limits for one kind of tokens", () => {
  const limits =
    "1000 tokens/day; 400 input-tokens/day; 300 output-tokens/day; 200 cached-tokens/day; 100 reasoning-tokens/day";

  async function metered(script: Script, cost: Record<string, number>) {
    const limiter = createLimiter<string>({
      name: "units",
      layers: [{ name: "user", key: (user) => user, limits }],
      clock: fakeClock(),
    });
    const admission = (await limiter.admit("ada", { cost })) as Admitted;
    const one = meter(admission, { estimator: createEstimator(), chunk: 64 });
    const result = streamText({ model: one.model(scriptedModel(script)), prompt });
    await read(one.bind(result.toUIMessageStreamResponse()), Number.POSITIVE_INFINITY);
    const { limits: after } = await limiter.peek("ada", { cost: {} });
    await limiter.close();
    return { end: await one.ended, left: Object.fromEntries(after.map((l) => [l.unit, l.remaining])) };
  }

  it("count only tokens of their kind", async () => {
    const usage = { input: 100, output: 50, cacheRead: 80, reasoning: 20 };
    const { end, left } = await metered({ says: words(50), usage }, {});
    expect(end).toMatchObject({ how: "finished" });
    expect(left).toEqual({
      tokens: 1000 - 150,
      "input-tokens": 400 - 100,
      "output-tokens": 300 - 50,
      "cached-tokens": 200 - 80,
      "reasoning-tokens": 100 - 20,
    });
  });

  it("end the answer when one of them is used up, and name that limit", async () => {
    const { end, left } = await metered({ says: words(900), usage: "absent" }, { "output-tokens": 64 });
    expect(end).toMatchObject({ how: "budget" });
    expect(end.refused?.binding.name).toBe("user-output-tokens-per-day");
    expect(left["output-tokens"]).toBe(0);
    expect(left.tokens).toBeGreaterThan(500);
  });
});

describe("a client that hangs up", () => {
  it("stops the model, and is charged what was written", async () => {
    const { end, left, model } = await respond({ says: words(1000) }, {}, 40);
    expect(end).toMatchObject({ how: "gone", estimated: true });
    const { tokens } = end.charged as { tokens: number };
    expect(tokens).toBeGreaterThan(30);
    expect(tokens).toBeLessThan(256);
    expect(left).toEqual({ requests: 8, tokens: 2000 - tokens, places: 3 });
    expect(model.said).toBeLessThan(100);
  });

  it("is charged what the provider reports if the answer is drained", async () => {
    const { end, left, model } = await respond({ says: words(1000) }, { onHangUp: "drain" }, 40, {
      tokens: 9000,
    });
    expect(end).toMatchObject({ how: "gone", charged: { tokens: inputTokens + 1000 }, estimated: false });
    expect(left.tokens).toBe(9000 - inputTokens - 1000);
    expect(model.said).toBe(1000);
  });

  it("is drained for at most drainMs", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { metered, left } = await begin({ onHangUp: "drain", drainMs: 5000 });
    const model = scriptedModel({ says: words(100), hangs: "midway" });
    const result = streamText({ model: metered.model(model), prompt, onError: () => {} });
    await read(metered.bind(result.toUIMessageStreamResponse()), 10);
    await vi.advanceTimersByTimeAsync(4999);
    expect(left().places).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(await metered.ended).toMatchObject({ how: "gone" });
    expect(left().places).toBe(3);
  });

  it("costs nothing before the model is called", async () => {
    const { metered, left } = await begin();
    metered.model(scriptedModel({}));
    const body = new ReadableStream({ pull: () => new Promise(() => {}) });
    await metered.bind(new Response(body)).body?.cancel();
    expect(await metered.ended).toMatchObject({ how: "gone", charged: "nothing" });
    expect(left()).toEqual({ requests: 9, tokens: 2000, places: 3 });
  });

  it("is charged the prompt once the model has been called", async () => {
    const { metered, left } = await begin();
    const model = scriptedModel({ hangs: "call" });
    const result = streamText({ model: metered.model(model), prompt, onError: () => {} });
    const response = metered.bind(result.toUIMessageStreamResponse());
    const reader = response.body?.getReader();
    await reader?.read();
    void reader?.read().catch(() => {});
    await vi.waitFor(() => expect(model.calls).toHaveLength(1));
    await reader?.cancel();
    const end = await metered.ended;
    expect(end.how).toBe("gone");
    expect(end.used.input).toBeGreaterThan(5);
    expect(left().tokens).toBe(2000 - end.used.input);
  });
});

describe("a model that is silent", () => {
  it.each<[NonNullable<Script["hangs"]>, number]>([
    ["call", 2000],
    ["deaf", 2000],
    ["midway", 1900],
  ])("is aborted (%s)", async (hangs, least) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { metered, left } = await begin({ silenceMs: 30_000 });
    const model = scriptedModel({ says: words(60), hangs });
    const result = streamText({ model: metered.model(model), prompt, maxRetries: 0, onError: () => {} });
    const reading = read(metered.bind(result.toUIMessageStreamResponse()), Number.POSITIVE_INFINITY);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(left().places).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    await reading;
    expect(await metered.ended).toMatchObject({ how: "timed-out" });
    expect(left().places).toBe(3);
    expect(left().tokens).toBeGreaterThanOrEqual(least);
    expect(left().tokens === 2000).toBe(least === 2000);
  });
});

describe("an agent", () => {
  it("is charged each step", async () => {
    const { metered, left } = await begin();
    const model = scriptedModel(
      { says: words(3), calls: { name: "tide", input: "{}" } },
      { says: words(20) },
    );
    const tide = tool({ inputSchema: z.object({}), execute: async () => "high" });
    const result = streamText({
      model: metered.model(model),
      prompt,
      tools: { tide },
      stopWhen: isStepCount(3),
    });
    await read(metered.bind(result.toUIMessageStreamResponse()), Number.POSITIVE_INFINITY);
    expect(await metered.ended).toMatchObject({ how: "finished", charged: { tokens: 2 * inputTokens + 23 } });
    expect(left().tokens).toBe(2000 - 2 * inputTokens - 23);
  });

  it("that does not stream holds tokens for its whole answer", async () => {
    const { metered, left } = await begin({ answerTokens: 500 });
    const model = scriptedModel({ says: words(700) });
    const { text, finishReason } = await generateText({ model: metered.model(model), prompt });
    expect(text.split(" ")).toHaveLength(501);
    expect(finishReason).toBe("length");
    await metered.end();
    expect(left().tokens).toBe(2000 - inputTokens - 500);
  });
});

describe("a meter", () => {
  it.each<[string, unknown]>([
    ["missing", undefined],
    ["null", { inputTokens: null, outputTokens: null }],
    ["negative", usageOf(-40, -10)],
    ["not a number", usageOf(Number.NaN, Number.NaN)],
    ["endless", usageOf(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)],
    ["absurd", usageOf(1e15, 1e300)],
    ["text", usageOf("40", "10")],
  ])("estimates usage that is %s, with and without streaming", async (_, usage) => {
    const model = reporting(usage);
    const streamed = await begin();
    const { stream } = await streamed.metered.model(model).doStream({ prompt: [] });
    for await (const _ of stream);
    const whole = await begin();
    await whole.metered.model(model).doGenerate({ prompt: [] });
    for (const { metered } of [streamed, whole]) {
      const { charged, estimated } = await metered.end();
      expect(estimated).toBe(true);
      const { tokens = 0 } = charged as { tokens?: number };
      expect(tokens).toBeGreaterThanOrEqual(20);
      expect(tokens).toBeLessThan(200);
    }
  });

  it("passes chunks on only as they are read", async () => {
    const { metered } = await begin();
    const model = scriptedModel({ says: words(1000) });
    const bound = metered.bind(streamText({ model: metered.model(model), prompt }).textStream);
    const reader = bound.getReader();
    await reader.read();
    await reader.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(model.said).toBeLessThan(20);
    await reader.cancel();
  });

  it("ends when the adapter's response ends", async () => {
    const { admission, metered, left } = await begin();
    await streamText({ model: metered.model(scriptedModel({ says: words(20) })), prompt }).consumeStream();
    await admission.end();
    expect(await metered.ended).toMatchObject({ how: "finished", charged: { tokens: inputTokens + 20 } });
    expect(left()).toEqual({ requests: 8, tokens: 2000 - inputTokens - 20, places: 3 });
  });

  it("is not ended by the end of the handler", async () => {
    const { admission, metered } = await begin();
    const model = scriptedModel({ says: words(200) });
    async function handle(): Promise<Response> {
      await using _held = admission;
      return metered.bind(streamText({ model: metered.model(model), prompt }).toTextStreamResponse());
    }
    expect(await read(await handle(), Number.POSITIVE_INFINITY)).toContain("tide");
    expect(await metered.ended).toMatchObject({ how: "finished", charged: { tokens: inputTokens + 200 } });
  });

  it.each<[string, () => unknown]>([
    ["admission.admitted", () => meter({ admitted: false } as never)],
    ['did you mean "chunk"', () => meter(held, { chunks: 3 } as never)],
    ["chunk must be a whole number from 16", () => meter(held, { chunk: 3 })],
    ["got -1 for output", () => meter(held, { weights: { output: -1 } })],
    ['onHangUp of meter must be "abort" or "drain"', () => meter(held, { onHangUp: "drian" as never })],
    ['got the text "gpt-5"', () => meter(held).model("gpt-5" as never)],
    [
      "got a model of another kind, such as for embeddings or images",
      () => meter(held).model({ specificationVersion: "v4", doEmbed() {} } as never),
    ],
    ["The estimator of meter needs factorOf", () => meter(held, { estimator: {} as never })],
    ["onError of meter must be a function", () => meter(held, { onError: 5 as never })],
    ["got a model of version v3", () => meter(held).model({ specificationVersion: "v3" } as never)],
    ["await it first", () => meter(held).bind(Promise.resolve() as never)],
    ['got "x"', () => meter(held).bind("x" as never)],
    ["got null", () => meter(held).bind(null as never)],
    ["got undefined", () => meter(held).bind(undefined as never)],
    ["got an object", () => meter(held).bind({ data: 1 } as never)],
    ["The options of meter must be an object such as", () => meter(held, null as never)],
    ["got 7", () => meter(held, 7 as never)],
    ['did you mean "tokens"', () => meter(counting, { unit: "tokns" })],
    ['did you mean "tokens"', () => meter(counting, { unit: "Tokens" })],
  ])("throws for an invalid option, and names the fault: %s", (message, mistake) => {
    expect(mistake).toThrow(message);
  });
});

const counting = {
  admitted: true,
  granted: { tokens: 5 },
  limits: [],
  extend: () => {},
} as unknown as Admitted;
const held = { admitted: true, granted: {}, limits: [], extend: () => {} } as unknown as Admitted;

function usageOf(input: unknown, output: unknown): unknown {
  return { inputTokens: { total: input }, outputTokens: { total: output } };
}
