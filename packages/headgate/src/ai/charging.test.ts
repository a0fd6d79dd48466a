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
import { governedModel, ProviderRefusedError } from "./governed-model.ts";
import { type Meter, type MeterOptions, meter } from "./meter.ts";
import type { MeterEnd } from "./meter-end.ts";
import { type ProviderRefusal, readProviderRefusal } from "./provider-refusal.ts";
import { openaiChat } from "./readers.ts";

/** One row of the table of charges: what happens to an answer, and what is charged. */
interface Row extends ModelScript {
  readonly options?: MeterOptions;
  /**
   * When the client leaves: after the first tokens of the answer, before them but after the model has been called, or
   * before the call, while the account at the provider is held. `unanswered`: before the service has answered anything.
   */
  readonly leaves?: "midway" | "early" | "unanswered" | "uncalled";
  /** What the handler reads from the provider's refusal. */
  readonly refused?: ProviderRefusal;
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

const asksToWait: ProviderRefusal = { reason: "quota", waitMs: 7000 };

function refusedBy(
  refused: ProviderRefusal,
  headers: Record<string, string>,
  body: unknown = { error: { message: "Slow down.", code: "rate_limit_exceeded" } },
  status = 429,
): Row {
  const refusal = { status, headers, body };
  return { fails: "status", refusal, refused, how: "failed", tokens: [0, 0], givenBack: true };
}

const refusals: Readonly<Record<string, Row>> = {
  "with Retry-After": refusedBy(asksToWait, { "retry-after": "7" }),
  "with OpenAI's fields": refusedBy(asksToWait, {
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "7s",
  }),
  "with Anthropic's fields": refusedBy(asksToWait, {
    date: "Thu, 01 Jan 2026 00:00:00 GMT",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:07Z",
  }),
  "with Azure's fields": refusedBy(asksToWait, {
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "7",
  }),
  "with Gemini's body": refusedBy(
    asksToWait,
    {},
    { error: { code: 429, message: "Slow down.", details: [{ retryDelay: "7s" }] } },
  ),
  "because of overload": refusedBy({ reason: "overload", waitMs: 7000 }, { "retry-after": "7" }, {}, 529),
  "because of money": refusedBy(
    { reason: "money" },
    { "retry-after": "7" },
    { error: { message: "You exceeded your current quota.", code: "insufficient_quota" } },
  ),
};

const rows: Readonly<Record<string, Row>> = {
  "is complete": { how: "finished", tokens: [60, 60] },
  "is complete, without a reported use": {
    usage: "absent",
    how: "finished",
    tokens: [20 + prompt[0], 30 + prompt[1]],
  },
  "is complete, with a reported use of 0": {
    usage: { input: 0, output: 0 },
    how: "finished",
    tokens: [0, 0],
  },
  "is complete, with cached input that counts a tenth": {
    usage: { input: 100, output: 20, cached: 80 },
    options: { weights: { cacheRead: 0.1 } },
    how: "finished",
    tokens: [48, 48],
  },
  "exceeds what is affordable": {
    pieces: 3000,
    usage: "absent",
    quota: smallQuota,
    how: "budget",
    tokens: [smallQuota - 2, smallQuota + chunk],
  },
  "fails before it is a stream": { fails: "status", how: "failed", tokens: [0, 0], givenBack: true },
  "fails before its first token": { fails: "first", how: "failed", tokens: [0, 0], givenBack: true },
  ...Object.fromEntries(
    Object.entries(refusals).map(([how, row]) => [`is refused by its provider ${how}`, row]),
  ),
  "fails later": { fails: "midway", how: "failed", tokens: [10 + prompt[0], 20 + prompt[1]] },
  "breaks off": { fails: "socket", how: "failed", tokens: [10 + prompt[0], 20 + prompt[1]] },
  "is left by its client before the model is called": {
    leaves: "uncalled",
    how: "gone",
    tokens: [0, 0],
    givenBack: true,
  },
  "is left by its client before its first token": {
    hangs: "first",
    leaves: "early",
    how: "gone",
    tokens: prompt,
  },
  "is left by its client before its provider has answered": {
    hangs: "head",
    leaves: "unanswered",
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
  "is left by its client, and drained for the maximum time": {
    hangs: "midway",
    leaves: "midway",
    options: { onHangUp: "drain", drainMs: 60 },
    how: "gone",
    tokens: [10 + prompt[0], 20 + prompt[1]],
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

/** The meter of each user, and the error that its handler got. */
const meters = new Map<string, Meter>();
const errors = new Map<string, unknown>();

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

/** In these rows, calls do not wait for the provider: its refusal reaches the handler. */
const governedOf = (metered: Meter, { user, row }: Caller, accounts: Limiter<string>) =>
  governedModel(metered.model(compatible(row)), accounts, {
    caller: user,
    maxWaitMs: rows[row]?.leaves === "uncalled" ? 2 * hourMs : 0,
  });

const answerOf = (metered: Meter, caller: Caller, accounts: Limiter<string>) =>
  streamText({
    model: governedOf(metered, caller, accounts),
    prompt: content,
    maxRetries: 0,
    abortSignal: metered.signal,
    onError: ({ error }) => void errors.set(caller.user, error),
  });

const hourMs = 3_600_000;

type Endpoint = (limiter: Limiter<Caller>, accounts: Limiter<string>) => Promise<Served>;

/** Each endpoint serves a metered answer, with one SDK and one framework. */
const endpoints: Readonly<Record<string, Endpoint>> = {
  "the AI SDK on Hono": (limiter, accounts) =>
    serveHono(limiter, (metered, caller) =>
      metered.bind(
        answerOf(metered, caller, accounts).toUIMessageStreamResponse({
          messageMetadata: metered.messageMetadata,
        }),
      ),
    ),
  "OpenAI's client on Hono": (limiter) =>
    serveHono(limiter, async (metered, { user, row }) => {
      let stream: Awaited<ReturnType<typeof streamOf>>;
      try {
        stream = await streamOf(metered, row);
      } catch (error) {
        errors.set(user, error);
        await metered.end("failed");
        return new Response(null, { status: 502 });
      }
      return new Response(linesOf(metered.bind(stream, openaiChat)));
    }),
  "the AI SDK on Express": (limiter, accounts) =>
    serveExpress(limiter, async (metered, caller, response) => {
      metered.bind(response);
      await answerOf(metered, caller, accounts).pipeUIMessageStreamToResponse(response);
    }),
  "OpenAI's client on Express": (limiter) =>
    serveExpress(limiter, async (metered, { user, row }, response) => {
      try {
        const stream = await streamOf(metered, row);
        response.writeHead(200).write("\n");
        for await (const part of metered.bind(stream, openaiChat))
          response.write(`${part.choices[0]?.delta.content ?? ""}\n`);
        response.end();
      } catch (error) {
        errors.set(user, error);
        await metered.end("failed");
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      }
    }),
};

/** Writes a line for each part, like a custom handler. */
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
    if (leaves === "unanswered")
      void expect
        .poll(() => provider.requests())
        .toBeGreaterThan(asked)
        .then(() => leaving.abort());
    const response = await fetch(`${origin}/?${new URLSearchParams({ ...caller })}`, {
      signal: leaving.signal,
    });
    if (leaves === undefined || leaves === "unanswered") return void (await response.text());
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    if (leaves === "uncalled") await reader.read();
    else if (leaves === "early") await expect.poll(() => provider.requests()).toBeGreaterThan(asked);
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

/** Returns what a handler knows about the provider's refusal. */
function refusalIn(error: unknown): ProviderRefusal | undefined {
  if (!(error instanceof ProviderRefusedError)) return readProviderRefusal(error);
  const { reason, retryAfterSeconds: seconds } = error;
  return seconds === undefined ? { reason } : { reason, waitMs: seconds * 1000 };
}

describe.each(Object.keys(stores))("on %s, an answer", (store) => {
  let limiter: Limiter<Caller>;
  /**
   * The limiter for the provider's quota, and the same limiter in another process. With memory there is only one
   * process.
   */
  let accounts: Limiter<string>;
  let elsewhere: Limiter<string>;
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
      // On a busy machine the store may answer late.
      timeouts: { storeMs: 20_000 },
    });
    await limiter.ready();
    const accountsOf = () =>
      createLimiter<string>({
        name: "accounts",
        layers: [{ name: "account", key: (account) => account, limits: "unlimited" }],
        store: url,
        timeouts: { storeMs: 20_000 },
      });
    accounts = accountsOf();
    elsewhere = url === "memory://" ? accounts : accountsOf();
    await Promise.all([accounts.ready(), elsewhere.ready()]);
    ending.push(
      remove,
      () => limiter.close(),
      () => accounts.close(),
      () => elsewhere.close(),
    );
  });
  afterAll(async () => {
    for (const end of ending.reverse()) await end();
  });

  describe.each(Object.keys(endpoints))("served by %s", (endpoint) => {
    let served: Served;
    beforeAll(async () => {
      served = await (endpoints[endpoint] as Endpoint)(limiter, accounts);
    });
    afterAll(() => {
      served.server.closeAllConnections();
      served.server.close();
    });

    const isGoverned = endpoint.startsWith("the AI SDK");

    it.each(
      // The stream of a provider's own client cannot be bound before the model is called.
      Object.entries(rows).filter(([, { leaves }]) => isGoverned || leaves !== "uncalled"),
    )("that %s", async (row, { how, tokens, givenBack, leaves, refused, quota = usualQuota }) => {
      const caller = { user: `${endpoint} ${row}`, row };
      if (leaves === "uncalled") await accounts.block(caller.user, { forMs: hourMs });
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
      if (refused === undefined) return;
      expect(refusalIn(errors.get(caller.user))).toEqual(refused);
      if (!isGoverned || refused.waitMs === undefined) return;
      // Another process does not call the provider before the wait is over.
      const asked = provider.requests();
      const model = governedModel(compatible(row), elsewhere, { caller: caller.user, maxWaitMs: 0 });
      const error = await model.doGenerate({ prompt: [] }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ProviderRefusedError);
      expect((error as ProviderRefusedError).retryAfterSeconds).toBeLessThanOrEqual(7);
      expect(provider.requests()).toBe(asked);
    });
  });
});
