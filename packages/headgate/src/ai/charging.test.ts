import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type ModelScript, type ModelServer, startModelServer } from "@headgate/test-servers/model-server.ts";
import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { serve } from "@hono/node-server";
import { streamText } from "ai";
import express from "express";
import { Hono } from "hono";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admissionOf, rateLimit as expressLimit } from "../adapters/express.ts";
import { rateLimit as honoLimit } from "../adapters/hono.ts";
import type { Admitted } from "../core/admission.ts";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { createEstimator } from "./estimate/estimator.ts";
import { type Meter, type MeterOptions, meter } from "./meter.ts";
import type { MeterEnd } from "./meter-end.ts";
import { openaiChat } from "./readers.ts";

/** What happens to an answer, and what is charged. */
interface Row extends ModelScript {
  readonly options?: MeterOptions;
  /**
   * When the client leaves: after the first bytes of the answer, or before them but after the model has been called.
   */
  readonly leaves?: "midway" | "early";
  readonly how: MeterEnd["how"];
  /** The charged tokens: minimum and maximum. */
  readonly tokens: readonly [number, number];
  /** Whether the request is refunded. */
  readonly givenBack?: true;
  /** The user's token quota, if it is small. */
  readonly quota?: number;
}

/** The estimate of the prompt: minimum and maximum. */
const prompt: readonly [number, number] = [6, 30];
const chunk = 256;
const usualQuota = 100_000;
const smallQuota = 800;

const rows: Readonly<Record<string, Row>> = {
  "is complete": { how: "finished", tokens: [60, 60] },
  "is complete, and its use is not reported": {
    usage: "absent",
    how: "finished",
    tokens: [20 + prompt[0], 30 + prompt[1]],
  },
  "is complete, and its use is reported as 0": {
    usage: { input: 0, output: 0 },
    how: "finished",
    tokens: [0, 0],
  },
  "is complete, and cached input weighs a tenth": {
    usage: { input: 100, output: 20, cached: 80 },
    options: { weights: { cacheRead: 0.1 } },
    how: "finished",
    tokens: [48, 48],
  },
  "becomes dearer than is affordable": {
    pieces: 3000,
    usage: "absent",
    quota: smallQuota,
    how: "budget",
    tokens: [smallQuota - 2, smallQuota + chunk],
  },
  "fails before it is a stream": { fails: "status", how: "failed", tokens: [0, 0], givenBack: true },
  "fails before its first token": { fails: "first", how: "failed", tokens: [0, 0], givenBack: true },
  "fails later": { fails: "midway", how: "failed", tokens: [10 + prompt[0], 20 + prompt[1]] },
  "breaks off": { fails: "socket", how: "failed", tokens: [10 + prompt[0], 20 + prompt[1]] },
  "is left by its client before its first token": {
    hangs: "first",
    leaves: "early",
    how: "gone",
    tokens: prompt,
  },
  "is left by its client midway": {
    hangs: "midway",
    leaves: "midway",
    how: "gone",
    tokens: [10 + prompt[0], 20 + prompt[1]],
  },
  "is left by its client, and drained": {
    pieces: 2000,
    leaves: "midway",
    options: { onHangUp: "drain" },
    how: "gone",
    tokens: [2040, 2040],
  },
  "stays silent before its first token": {
    hangs: "first",
    options: { silenceMs: 60 },
    how: "timed-out",
    tokens: [0, 0],
    givenBack: true,
  },
  "stays silent midway": {
    hangs: "midway",
    options: { silenceMs: 2000 },
    how: "timed-out",
    tokens: [10 + prompt[0], 20 + prompt[1]],
  },
};

interface Caller {
  readonly user: string;
  readonly row: string;
}

interface Served {
  readonly server: Server;
  readonly origin: string;
}

let provider: ModelServer;
let openai: OpenAI;
let compatible: ReturnType<typeof createOpenAICompatible>;
beforeAll(async () => {
  provider = await startModelServer(rows);
  openai = new OpenAI({ apiKey: "none", baseURL: provider.url, maxRetries: 0 });
  compatible = createOpenAICompatible({ name: "scripted", baseURL: provider.url, includeUsage: true });
});
afterAll(() => provider.stop());

/** The meter of each user, for the test to read. */
const meters = new Map<string, Meter>();

function begin(admission: unknown, { user, row }: Caller): Meter {
  const metered = meter(admission as Admitted, {
    estimator: createEstimator(),
    promptTokens: 10,
    ...rows[row]?.options,
  });
  meters.set(user, metered);
  return metered;
}

const content = "Tell me about the tide.";
const callerOf = (url: string): Caller => Object.fromEntries(new URL(url, "http://h").searchParams) as never;
const cost = { tokens: 100 };

const streamOf = (metered: Meter, model: string) =>
  openai.chat.completions.create(
    { model, messages: [{ role: "user", content }], stream: true, stream_options: { include_usage: true } },
    { signal: metered.signal },
  );

const answerOf = (metered: Meter, model: string) =>
  streamText({ model: metered.model(compatible(model)), prompt: content, maxRetries: 0, onError: () => {} });

/** Each endpoint serves a metered answer, with one SDK and one framework. */
const endpoints: Readonly<Record<string, (limiter: Limiter<Caller>) => Promise<Served>>> = {
  "the AI SDK on Hono": (limiter) =>
    serveHono(limiter, (metered, { row }) =>
      metered.bind(
        answerOf(metered, row).toUIMessageStreamResponse({ messageMetadata: metered.messageMetadata }),
      ),
    ),
  "OpenAI's client on Hono": (limiter) =>
    serveHono(limiter, async (metered, { row }) => {
      let stream: Awaited<ReturnType<typeof streamOf>>;
      try {
        stream = await streamOf(metered, row);
      } catch {
        await metered.end("failed");
        return new Response(null, { status: 502 });
      }
      return new Response(linesOf(metered.bind(stream, openaiChat)));
    }),
  "the AI SDK on Express": (limiter) =>
    serveExpress(limiter, async (metered, { row }, response) => {
      metered.bind(response);
      await answerOf(metered, row).pipeUIMessageStreamToResponse(response);
    }),
  "OpenAI's client on Express": (limiter) =>
    serveExpress(limiter, async (metered, { row }, response) => {
      try {
        const stream = await streamOf(metered, row);
        response.writeHead(200).write("\n");
        for await (const part of metered.bind(stream, openaiChat))
          response.write(`${part.choices[0]?.delta.content ?? ""}\n`);
        response.end();
      } catch {
        await metered.end("failed");
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      }
    }),
};

/** Writes a line for each part, as a custom handler may do. */
function linesOf(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const parts = stream[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode("\n")),
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) return controller.close();
      controller.enqueue(encoder.encode(`${value.choices[0]?.delta.content ?? ""}\n`));
    },
    async cancel() {
      await parts.return?.();
    },
  });
}

async function serveHono(
  limiter: Limiter<Caller>,
  handle: (metered: Meter, caller: Caller) => Response | Promise<Response>,
): Promise<Served> {
  const app = new Hono();
  const guard = honoLimit(limiter, { caller: (c) => callerOf(c.req.url), cost: () => cost });
  app.get("/", guard, (c) => {
    const caller = callerOf(c.req.url);
    return handle(begin(c.get("admission"), caller), caller);
  });
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) =>
      resolve({ server: server as Server, origin: `http://127.0.0.1:${port}` }),
    );
  });
}

async function serveExpress(
  limiter: Limiter<Caller>,
  handle: (metered: Meter, caller: Caller, response: express.Response) => Promise<void>,
): Promise<Served> {
  const app = express();
  const guard = expressLimit(limiter, { caller: (request) => callerOf(request.url), cost: () => cost });
  app.get("/", guard, async (request, response) => {
    const caller = callerOf(request.url);
    await handle(begin(admissionOf(request), caller), caller, response);
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Sends a request like a client that reads to the end or leaves. */
async function ask(origin: string, caller: Caller, leaves: Row["leaves"]): Promise<void> {
  const leaving = new AbortController();
  const asked = provider.requests();
  try {
    const response = await fetch(`${origin}/?${new URLSearchParams({ ...caller })}`, {
      signal: leaving.signal,
    });
    if (leaves === undefined) return void (await response.text());
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    if (leaves === "early") await expect.poll(() => provider.requests()).toBeGreaterThan(asked);
    else
      while ((text.match(/tide/g)?.length ?? 0) < 10)
        text += new TextDecoder().decode((await reader.read()).value);
    leaving.abort();
  } catch (error) {
    // If the answer fails midway, or the client leaves, reading fails too.
    expect(error).toBeInstanceOf(Error);
  }
}

const stores: Readonly<Record<string, () => Promise<{ url: string; remove(): Promise<void> }>>> = {
  memory: async () => ({ url: "memory://", remove: async () => {} }),
  Redis: () => startRedis(),
  PostgreSQL: () => startPostgres(),
};

describe.each(Object.keys(stores))("on %s, an answer", (store) => {
  let limiter: Limiter<Caller>;
  const ending: (() => unknown)[] = [];
  beforeAll(async () => {
    const { url, remove } = await (stores[store] as (typeof stores)[string])();
    const limitsOf = (tokens: number) => `9/hour; ${tokens} tokens/hour sliding-window; 2 concurrent`;
    limiter = createLimiter({
      name: "charging",
      layers: [
        {
          name: "user",
          key: ({ user }: Caller) => user,
          plan: ({ row }: Caller) => (rows[row]?.quota === undefined ? "usual" : "small"),
          plans: { usual: limitsOf(usualQuota), small: limitsOf(smallQuota) },
          defaultPlan: "usual",
        },
      ],
      store: url,
      // A busy machine may answer late.
      timeouts: { storeMs: 20_000 },
    });
    await limiter.ready();
    ending.push(remove, () => limiter.close());
  });
  afterAll(async () => {
    for (const end of ending.reverse()) await end();
  });

  describe.each(Object.keys(endpoints))("by %s", (endpoint) => {
    let served: Served;
    beforeAll(async () => {
      served = await (endpoints[endpoint] as (typeof endpoints)[string])(limiter);
    });
    afterAll(() => {
      served.server.closeAllConnections();
      served.server.close();
    });

    it.each(Object.entries(rows))(
      "that %s",
      async (row, { how, tokens, givenBack, leaves, quota = usualQuota }) => {
        const caller = { user: `${endpoint} ${row}`, row };
        await ask(served.origin, caller, leaves);
        const end = await (meters.get(caller.user) as Meter).ended;
        expect(end.how).toBe(how);
        const charged = end.charged === "nothing" ? 0 : (end.charged.tokens ?? -1);
        expect(charged).toBeGreaterThanOrEqual(tokens[0]);
        expect(charged).toBeLessThanOrEqual(tokens[1]);
        const free = { cost: { requests: 0, tokens: 0, concurrent: 0 } };
        const [requests, left, places] = (await limiter.peek(caller, free)).limits.map(
          ({ remaining }) => remaining,
        );
        expect({ requests, left, places }).toEqual({
          requests: givenBack ? 9 : 8,
          left: Math.max(0, quota - charged),
          places: 2,
        });
      },
    );
  });
});
