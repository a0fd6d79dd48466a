import { EventEmitter } from "node:events";
import { inputTokens, scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { streamText } from "ai";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { stateResponseEnd } from "../core/ending-delegate.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { createEstimator } from "./estimate/estimator.ts";
import { type Meter, type MeterOptions, meter } from "./meter.ts";
import { openaiChat, type StreamReader } from "./readers.ts";

afterEach(() => vi.useRealTimers());

function limited() {
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "9/minute; 900000 tokens/day; 2000 concurrent" }],
    clock: fakeClock(),
  });
  const left = async () => {
    const { limits } = await limiter.peek("ada", { cost: { requests: 0, tokens: 0, concurrent: 0 } });
    return limits.map(({ remaining }) => remaining);
  };
  const admissions: Admitted[] = [];
  const begin = async (options: MeterOptions = {}, cost: Record<string, number> = { tokens: 300 }) =>
    meter(await admitted(cost), {
      promptTokens: inputTokens,
      estimator: createEstimator(),
      onError: (error) => expect(error).toBeUndefined(),
      ...options,
    });
  async function admitted(cost: Record<string, number>): Promise<Admitted> {
    const admission = (await limiter.admit("ada", { cost })) as Admitted;
    admissions.push(admission);
    return admission;
  }
  return { begin, left, admissions };
}

const reader: StreamReader<string> = { text: (part) => part, usage: () => undefined };

/** A provider's stream of a thousand parts. It counts how many parts were read. */
class ProviderStream implements AsyncIterable<string> {
  readonly controller = new AbortController();
  asked = 0;
  left = false;
  [Symbol.asyncIterator](): AsyncIterator<string> {
    return {
      next: async () => {
        this.asked += 1;
        return this.asked > 1000 ? { done: true, value: undefined } : { done: false, value: "tide " };
      },
      return: async () => {
        this.left = true;
        return { done: true, value: undefined };
      },
    };
  }
}

function readableOf(stream: ProviderStream): ReadableStream<string> {
  const parts = stream[Symbol.asyncIterator]();
  return new ReadableStream<string>(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await parts.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Waits until everything has run that does not wait for the reader. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("a slow reader of a stream", () => {
  it.each<[string, StreamReader<string> | undefined]>([
    ["an async iterable", reader],
    ["an async iterable without a reader", undefined],
  ])("that is %s gets parts only as it reads them", async (_, read) => {
    const stream = new ProviderStream();
    const bound = (await limited().begin()).bind(stream, read)[Symbol.asyncIterator]();
    await pause();
    expect(stream.asked).toBe(0);
    for (let n = 1; n <= 3; n += 1) {
      await bound.next();
      await pause();
      expect(stream.asked).toBe(n);
    }
    await bound.return?.();
    expect(stream.left).toBe(true);
  });

  it.each<[string, StreamReader<string> | undefined]>([
    ["a ReadableStream", reader],
    ["a ReadableStream without a reader", undefined],
  ])("that is %s gets parts only as it reads them", async (_, read) => {
    const stream = new ProviderStream();
    const bound = (await limited().begin()).bind(readableOf(stream), read).getReader();
    await pause();
    expect(stream.asked).toBe(0);
    for (let n = 1; n <= 3; n += 1) {
      await bound.read();
      await pause();
      expect(stream.asked).toBe(n);
    }
    await bound.cancel();
    expect(stream.left).toBe(true);
  });

  it("that is a Response gets parts only as it reads them", async () => {
    const stream = new ProviderStream();
    const bytes = readableOf(stream).pipeThrough(new TextEncoderStream(), {});
    const body = ((await limited().begin()).bind(new Response(bytes)).body as ReadableStream).getReader();
    await pause();
    // The pipe itself buffers one part.
    const ahead = stream.asked;
    expect(ahead).toBeLessThan(4);
    for (let n = 1; n <= 3; n += 1) {
      await body.read();
      await pause();
      expect(stream.asked).toBeLessThanOrEqual(ahead + n);
    }
    await body.cancel();
  });
});

describe("a bound stream is of the same type", () => {
  it("a Response, with its status and headers", async () => {
    const bound = (await limited().begin()).bind(
      new Response("tide", { status: 201, statusText: "Made", headers: { "x-tide": "high" } }),
    );
    expect(bound).toBeInstanceOf(Response);
    expect([bound.status, bound.statusText, bound.headers.get("x-tide")]).toEqual([201, "Made", "high"]);
    expect(await bound.text()).toBe("tide");
  });

  it("a ReadableStream", async () => {
    const bound = (await limited().begin()).bind(readableOf(new ProviderStream()), reader);
    expect(bound).toBeInstanceOf(ReadableStream);
    await bound.cancel();
  });

  it("a provider's own stream, with its other members", async () => {
    const stream = new ProviderStream();
    const bound = (await limited().begin()).bind(stream, reader);
    expect(bound).toBeInstanceOf(ProviderStream);
    expect(bound.controller).toBe(stream.controller);
    for await (const part of bound) {
      expect(part).toBe("tide ");
      break;
    }
  });

  it("an async generator", async () => {
    async function* parts() {
      yield "tide ";
    }
    const bound = (await limited().begin()).bind(parts(), reader);
    expect(await bound.next()).toEqual({ done: false, value: "tide " });
    expect((await bound.next()).done).toBe(true);
  });

  it("Node's response", async () => {
    const response = nodeResponse();
    expect((await limited().begin()).bind(response)).toBe(response);
  });
});

function nodeResponse() {
  return Object.assign(new EventEmitter(), { writableFinished: false, destroyed: false, statusCode: 200 });
}

describe("Node's response", () => {
  it("that was sent completely ends the admission", async () => {
    const { begin, left } = limited();
    const metered = await begin();
    const response = metered.bind(nodeResponse());
    await streamText({
      model: metered.model(scriptedModel({ says: ["tide "] })),
      prompt: "Tide?",
    }).consumeStream();
    response.writableFinished = true;
    response.emit("close");
    expect(await metered.ended).toMatchObject({ how: "finished", charged: { tokens: inputTokens + 1 } });
    expect(await left()).toEqual([8, 900_000 - inputTokens - 1, 2000]);
  });

  it("that failed before a model answered is charged nothing", async () => {
    const { begin, left } = limited();
    const metered = await begin();
    const response = metered.bind(nodeResponse());
    Object.assign(response, { statusCode: 500, writableFinished: true });
    response.emit("close");
    expect(await metered.ended).toMatchObject({ how: "failed", charged: "nothing" });
    expect(await left()).toEqual([9, 900_000, 2000]);
  });

  it("whose client left before it was bound ends immediately", async () => {
    const metered = await limited().begin();
    metered.bind(Object.assign(nodeResponse(), { destroyed: true }));
    expect(await metered.ended).toMatchObject({ how: "gone", charged: "nothing" });
  });

  it("whose client leaves is drained, although nobody reads it", async () => {
    const { begin, left } = limited();
    const metered = await begin({ onHangUp: "drain" });
    const response = metered.bind(nodeResponse());
    const model = scriptedModel({ says: Array.from({ length: 500 }, () => "tide ") });
    const { stream } = await metered.model(model).doStream({ prompt: [] });
    await stream.getReader().read();
    response.emit("close");
    const end = await metered.ended;
    expect(end).toMatchObject({ how: "gone", charged: { tokens: inputTokens + 500 }, estimated: false });
    expect(await left()).toEqual([8, 900_000 - inputTokens - 500, 2000]);
  });
});

describe("a Response", () => {
  it.each([500, 503])("with the status %i is charged nothing if no model answered", async (status) => {
    const { begin, left } = limited();
    const metered = await begin();
    await metered.bind(new Response("failed", { status })).text();
    expect(await metered.ended).toMatchObject({ how: "failed", charged: "nothing" });
    expect(await left()).toEqual([9, 900_000, 2000]);
  });

  it("without a body ends the admission immediately", async () => {
    const metered = await limited().begin();
    metered.bind(new Response(null, { status: 204 }));
    expect(await metered.ended).toMatchObject({ how: "finished" });
  });
});

describe("a client that leaves before its stream is bound", () => {
  /** Ends the admission as an adapter does when its response is over. */
  const leave = (admission: Admitted) => {
    stateResponseEnd(admission, "cut");
    return admission.end();
  };

  async function left(take: (metered: Meter) => unknown, options: MeterOptions = {}) {
    const { begin, left: remaining, admissions } = limited();
    const metered = await begin(options);
    take(metered);
    await leave(admissions[0] as Admitted);
    return { metered, remaining };
  }

  it("is charged the prompt if the signal was given to a provider's own client", async () => {
    const { metered, remaining } = await left(({ signal }) => signal);
    expect(await metered.ended).toMatchObject({
      how: "gone",
      charged: { tokens: inputTokens },
      estimated: true,
    });
    expect(metered.signal.aborted).toBe(true);
    expect(await remaining()).toEqual([8, 900_000 - inputTokens, 2000]);
    const provided = new ProviderStream();
    const late = metered.bind(provided, reader)[Symbol.asyncIterator]();
    await expect(late.next()).rejects.toThrow("The client has gone.");
    await vi.waitFor(() => expect(provided.controller.signal.aborted).toBe(true));
  });

  it("is charged the request if the meter saw neither a model nor its signal used", async () => {
    const { metered, remaining } = await left(() => {});
    expect(await metered.ended).toMatchObject({ how: "gone", charged: { tokens: 0 } });
    expect(await remaining()).toEqual([8, 900_000, 2000]);
  });

  it("is charged nothing if a metered model was not called", async () => {
    const { metered, remaining } = await left((metered) => [
      metered.model(scriptedModel({})),
      metered.signal,
    ]);
    expect(await metered.ended).toMatchObject({ how: "gone", charged: "nothing" });
    expect(await remaining()).toEqual([9, 900_000, 2000]);
  });

  it("is charged what the provider reports if the handler reads to the end", async () => {
    const { metered } = await left(({ signal }) => signal, { onHangUp: "drain" });
    async function* parts() {
      for (let n = 0; n < 500; n += 1) yield "tide ";
      yield "end";
    }
    const counting = {
      text: (part: string) => part,
      usage: (part: string) => (part === "end" ? { input: 15, output: 77 } : undefined),
    };
    const bound = metered.bind(parts(), counting);
    for await (const _ of bound);
    expect(await metered.ended).toMatchObject({ how: "gone", charged: { tokens: 92 }, estimated: false });
  });
});

describe("bind refuses, when it is called,", () => {
  it.each<[string, (metered: Meter) => unknown, RegExp]>([
    [
      "a reader without functions",
      (m) => m.bind(new ProviderStream(), {} as never),
      /^The reader given to bind must be/,
    ],
    [
      "null as a reader",
      (m) => m.bind(new ProviderStream(), null as never),
      /^The reader given to bind must be/,
    ],
    [
      "a reader for a Response",
      (m) => m.bind(new Response("data: {}"), openaiChat as never),
      /^bind takes a reader only for a stream of parts/,
    ],
    [
      "a stream that is read elsewhere",
      (m) => {
        const stream = readableOf(new ProviderStream());
        stream.getReader();
        return m.bind(stream);
      },
      /^The stream given to bind has a reader already/,
    ],
  ])("%s", async (_, bind, message) => {
    const metered = await limited().begin();
    expect(() => bind(metered)).toThrow(
      expect.objectContaining({ code: "option-invalid", message: expect.stringMatching(message) }),
    );
    // The meter can still be used.
    expect(await metered.bind(new Response("tide")).text()).toBe("tide");
  });
});

describe("parts that are bytes or text", () => {
  it.each<[string, unknown]>([
    ["bytes", new TextEncoder().encode('data: {"choices":[]}')],
    ["text", 'data: {"choices":[]}'],
  ])("are counted by their content, and reported to onError once: %s", async (_, part) => {
    const errors: unknown[] = [];
    const metered = await limited().begin({ onError: (error) => errors.push(error) });
    async function* parts() {
      for (let n = 0; n < 10; n += 1) yield part;
    }
    for await (const _ of metered.bind(parts(), openaiChat));
    const { used } = await metered.ended;
    expect(used.output).toBeGreaterThanOrEqual(50);
    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/is text or bytes, not an object/) }),
    ]);
  });
});

describe("usage that a provider reports while it answers", () => {
  const counting: StreamReader<string> = { ...reader, usage: () => ({ input: 15, output: 1 }) };

  it("does not replace the output that was counted if the reader leaves", async () => {
    const metered = await limited().begin();
    const bound = metered.bind(new ProviderStream(), counting)[Symbol.asyncIterator]();
    for (let n = 0; n < 20; n += 1) await bound.next();
    await bound.return?.();
    const { used, estimated } = await metered.ended;
    expect(estimated).toBe(true);
    expect(used.input).toBe(15);
    expect(used.output).toBeGreaterThanOrEqual(20);
  });
});

describe("drained answers", () => {
  it("are at most a thousand at the same time: further answers are aborted", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { begin, left } = limited();
    async function* silent(): AsyncGenerator<string> {
      yield "tide ";
      await new Promise(() => {});
    }
    const leaving = async () => {
      const metered = await begin({ onHangUp: "drain", drainMs: 5000 }, { requests: 0 });
      const bound = metered.bind(silent(), reader);
      await bound.next();
      void bound.return(undefined);
      return metered;
    };
    const drained = [];
    for (let n = 0; n < 1000; n += 1) drained.push(await leaving());
    expect((await left())[2]).toBe(1000);
    const another = await leaving();
    expect(another.signal.aborted).toBe(true);
    expect(await another.ended).toMatchObject({ how: "gone" });
    expect(drained.some(({ signal }) => signal.aborted)).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    for (const metered of drained) expect(await metered.ended).toMatchObject({ how: "gone" });
    expect((await left())[2]).toBe(2000);
  });
});
