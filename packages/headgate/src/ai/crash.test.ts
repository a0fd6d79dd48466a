import { inputTokens, scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { streamText } from "ai";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { createEstimator } from "./estimate/estimator.ts";
import { type Meter, meter } from "./meter.ts";

const BEAT_MS = 10_000;
const LEASE_MS = 30_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => vi.useRealTimers());

/**
 * Starts a stream that stops after fifty chunks. Also returns the limits of its caller as another process reads them.
 */
async function streaming() {
  const clock = fakeClock();
  const store = memoryStore();
  const limiterOf = () =>
    createLimiter<string>({
      name: "chat",
      layers: [
        { name: "user", key: (user) => user, limits: "9/minute; 2000 tokens/day fixed-window; 3 concurrent" },
      ],
      store,
      // Heartbeats use the fake timers, not the clock's, so they stop when the test stops the timers.
      clock: { now: clock.now },
    });
  const limiter = limiterOf();
  const left = () => {
    const peek = limiter.peek("ada", { cost: { requests: 0, tokens: 0, concurrent: 0 } });
    return (peek as Awaited<typeof peek>).limits.slice(1).map(({ remaining }) => remaining);
  };
  const admission = (await limiter.admit("ada", { cost: { tokens: 300 } })) as Admitted;
  const metered = meter(admission, { estimator: createEstimator(), chunk: 256 });
  const model = scriptedModel({ says: Array.from({ length: 100 }, () => "tide "), hangs: "midway" });
  const result = streamText({
    model: metered.model(model),
    prompt: "Tell me about the tide.",
    onError: () => {},
  });
  const response = metered.bind(result.toUIMessageStreamResponse());
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  while ((text.match(/tide /g) ?? []).length < 50) text += decoder.decode((await reader.read()).value);
  const beat = async () => {
    clock.advance(BEAT_MS);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
  };
  return { clock, left, metered, beat, reader };
}

function tokensOf(metered: Meter): number {
  const { input, output } = metered.news().used;
  return input + output;
}

describe("a process that is killed in the middle of a stream", () => {
  it.each([1, 5])(
    "is charged its use at the last of %d heartbeats, once, and its place is free",
    async (beats) => {
      const { clock, left, metered, beat } = await streaming();
      for (let n = 1; n < beats; n += 1) await beat();
      const before = tokensOf(metered);
      await beat();
      const after = tokensOf(metered);
      // A killed process runs no timers: only the clock moves.
      clock.advance(LEASE_MS);
      const [tokens = 0, places] = left();
      expect(before).toBeGreaterThanOrEqual(50);
      expect(2000 - tokens).toBeGreaterThanOrEqual(before);
      expect(2000 - tokens).toBeLessThanOrEqual(after);
      expect(places).toBe(3);
    },
  );

  it("is charged nothing if it sent no heartbeat", async () => {
    const { clock, left } = await streaming();
    clock.advance(LEASE_MS);
    expect(left()).toEqual([2000, 3]);
  });

  it("is charged the use reported at the end if it was only slow", async () => {
    const { clock, left, metered, beat, reader } = await streaming();
    await beat();
    clock.advance(LEASE_MS);
    await reader.cancel();
    const { charged } = await metered.ended;
    expect(left()).toEqual([2000 - (charged as { tokens: number }).tokens, 3]);
    expect((charged as { tokens: number }).tokens).toBeLessThan(inputTokens + 100);
  });
});
