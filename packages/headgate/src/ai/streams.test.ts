import { startRedis } from "@headgate/test-servers/redis.ts";
import { inputTokens, scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { streamText } from "ai";
import { describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { createEstimator } from "./estimate/estimator.ts";
import { type Meter, type MeterOptions, meter } from "./meter.ts";
import type { StreamReader } from "./readers.ts";

const chunk = 256;
const users = 20;
const atOnce = 50;

/** Pseudo-random numbers, the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** The true use of a stream, as its provider counts it. */
interface Stream {
  readonly metered: Meter;
  /** Whether the stream is read to its end, or after how many chunks the reader leaves. */
  readonly read: (pieces: number) => Promise<void>;
  readonly counted: () => number;
}

interface Plan {
  readonly pieces: number;
  readonly leavesAfter: number;
  readonly options: MeterOptions;
  readonly isReported: boolean;
}

function planOf(roll: (sides: number) => number): Plan {
  const pieces = 1 + roll(300);
  const isReported = roll(3) > 0;
  return {
    pieces,
    isReported,
    leavesAfter: roll(2) === 0 ? Number.POSITIVE_INFINITY : roll(pieces),
    options: { onHangUp: roll(2) === 0 ? "abort" : "drain", chunk, promptTokens: inputTokens },
  };
}

/** An answer from the AI SDK. */
function answerOf(admission: Admitted, { pieces, options, isReported }: Plan): Stream {
  const says = Array.from({ length: pieces }, () => "tide ");
  const model = scriptedModel({ says, ...(isReported ? {} : { usage: "absent" }) });
  const metered = meter(admission, { ...options, estimator: createEstimator() });
  const result = streamText({
    model: metered.model(model),
    prompt: "tide ".repeat(inputTokens - 8),
    onError() {},
  });
  const response = metered.bind(result.toTextStreamResponse());
  return {
    metered,
    counted: () => (model.calls.length === 0 ? 0 : inputTokens + model.said),
    async read(count) {
      const reader = (response.body as ReadableStream).getReader();
      for (let n = 0; n < count; n += 1) if ((await reader.read()).done) return;
      await reader.cancel();
    },
  };
}

interface Piece {
  readonly text: string;
  readonly usage?: { readonly input: number; readonly output: number };
}

const pieceReader: StreamReader<Piece> = { text: ({ text }) => text, usage: ({ usage }) => usage };

/** An answer from a provider's own client. */
function piecesOf(admission: Admitted, { pieces, options, isReported }: Plan): Stream {
  const metered = meter(admission, options);
  let said = 0;
  async function* provider(): AsyncGenerator<Piece> {
    for (let n = 0; n < pieces; n += 1) {
      if (metered.signal.aborted) return;
      said += 1;
      // A pause, so that other streams run too.
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      yield { text: "tide " };
    }
    if (isReported) yield { text: "", usage: { input: inputTokens, output: said } };
  }
  const bound = metered.bind(provider(), pieceReader);
  return {
    metered,
    counted: () => (said === 0 ? 0 : inputTokens + said),
    async read(count) {
      const parts = bound[Symbol.asyncIterator]();
      for (let n = 0; n < count; n += 1) if ((await parts.next()).done) return;
      await parts.return?.(undefined);
    },
  };
}

async function run(limiter: Limiter<string>, streams: number, begin: typeof answerOf): Promise<void> {
  const roll = dice(streams);
  const charged = new Map<string, number>();
  let begun = 0;
  async function serve(): Promise<void> {
    while (begun < streams) {
      const n = begun;
      begun += 1;
      const user = `user ${n % users}`;
      const plan = planOf(roll);
      const admission = await limiter.admit(user, { cost: { tokens: 300 } });
      expect(admission.admitted).toBe(true);
      const stream = begin(admission as Admitted, plan);
      await stream.read(plan.leavesAfter);
      const end = await stream.metered.ended;
      const tokens = end.charged === "nothing" ? 0 : (end.charged.tokens ?? 0);
      if (end.estimated) expect(Math.abs(tokens - stream.counted())).toBeLessThanOrEqual(chunk);
      else expect(tokens).toBe(stream.counted());
      charged.set(user, (charged.get(user) ?? 0) + tokens);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, serve));
  for (const [user, tokens] of charged) {
    const { limits } = await limiter.peek(user, { cost: { tokens: 0, concurrent: 0, requests: 0 } });
    const left = Object.fromEntries(limits.map(({ unit, remaining }) => [unit, remaining]));
    expect(left).toEqual({ tokens: 1_000_000 - tokens, concurrent: 100 });
  }
}

const limits = "1000000 tokens/day sliding-window; 100 concurrent";
const layers = [{ name: "user", key: (user: string) => user, limits }];

describe.each<[number, string, typeof answerOf]>([
  [200, "of the AI SDK", answerOf],
  [1000, "of a provider's own client", piecesOf],
])("%i streams %s, 50 at once, whose clients hang up at random", (streams, _, begin) => {
  it("leave no holds in memory, and are charged their true use", async () => {
    await run(createLimiter({ name: "streams", layers }), streams, begin);
  });

  it("leave no holds on Redis, and are charged their true use", async () => {
    const server = await startRedis();
    const limiter = createLimiter({
      name: "streams",
      layers,
      store: server.url,
      timeouts: { storeMs: 30_000 },
    });
    try {
      await limiter.ready();
      await run(limiter, streams, begin);
    } finally {
      await limiter.close();
      await server.remove();
    }
  });
});
