import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { inputTokens, scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { streamText } from "ai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { createEstimator } from "./estimate/estimator.ts";
import { type Meter, type MeterOptions, meter } from "./meter.ts";
import type { StreamReader } from "./readers.ts";

const chunk = 256;
const users = 20;
const atOnce = 50;

/** Returns pseudo-random numbers, the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

interface Stream {
  readonly metered: Meter;
  /** Reads this many chunks and leaves, or reads to the end. */
  readonly read: (pieces: number) => Promise<void>;
  /** The true use, as the provider counts it. */
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
      // Pause, so that other streams run too.
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

/** Whether the provider's count reaches the meter. */
const isCounted = ({ isReported, leavesAfter, options }: Plan) =>
  isReported && (leavesAfter === Number.POSITIVE_INFINITY || options.onHangUp === "drain");

/** @param everyNth every n-th stream is the AI SDK's; the others come from a provider's own client */
async function run(limiter: Limiter<string>, streams: number, everyNth: number): Promise<void> {
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
      const stream = (n % everyNth === 0 ? answerOf : piecesOf)(admission as Admitted, plan);
      await stream.read(plan.leavesAfter);
      const end = await stream.metered.ended;
      const tokens = end.charged === "nothing" ? 0 : (end.charged.tokens ?? 0);
      if (isCounted(plan)) expect(tokens).toBe(stream.counted());
      else expect(Math.abs(tokens - stream.counted())).toBeLessThanOrEqual(chunk);
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

const stores: Readonly<Record<string, () => Promise<{ url: string; remove(): Promise<void> }>>> = {
  memory: async () => ({ url: "memory://", remove: async () => {} }),
  Redis: () => startRedis(),
  PostgreSQL: () => startPostgres(),
};

describe.each(Object.entries(stores))("on %s", (_, start) => {
  let server: { url: string; remove(): Promise<void> };
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.remove());

  it.each([
    [200, "of the AI SDK", 1],
    [1000, "of the AI SDK and of a provider's own client", 5],
  ])(
    "%i streams %s leave no holds if clients hang up at random, and are charged their true use",
    async (streams, _, everyNth) => {
      const name = `streams-${streams}`;
      // On a busy machine the store may answer late.
      const limiter = createLimiter({ name, layers, store: server.url, timeouts: { storeMs: 30_000 } });
      try {
        await limiter.ready();
        await run(limiter, streams, everyNth);
      } finally {
        await limiter.close();
      }
    },
  );
});
