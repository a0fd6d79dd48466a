import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatMessage, Me } from "../../contract.ts";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import {
  chunksOf,
  startTestService,
  type TestClient,
  type TestService,
  until,
} from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

vi.setConfig({ testTimeout: 60_000 });

let database: OpenDatabase;
let provider: OpenAiServer;
let service: TestService | undefined;

beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);

afterAll(() => database.close());

beforeEach(async () => {
  provider = await startOpenAiServer({ text: "one two three four five six" });
});

afterEach(async () => {
  provider.release(Number.POSITIVE_INFINITY);
  await service?.close();
  await provider.close();
});

/** @param undecidedAfterMs after this time, sends the head before the first token of a slow model */
async function start(env: Record<string, string>, undecidedAfterMs?: number): Promise<TestService> {
  service = await startTestService({
    database,
    env: { LLM_BASE_URL: provider.url, LLM_MODEL: "test-model", ...env },
    answerLimits: { retries: 0 },
    ...(undecidedAfterMs === undefined ? {} : { undecidedAfterMs }),
  });
  return service;
}

const message = (content: string) => ({ messages: [{ role: "user", content }] });

async function quotaOf(client: TestClient, name: string): Promise<number | undefined> {
  const { quota }: Me = await (await client("/me")).json();
  return quota.find((limit) => limit.name === name)?.remaining;
}

async function answerOf(client: TestClient, conversationId: string): Promise<ChatMessage | undefined> {
  const { messages } = await (await client(`/conversations/${conversationId}`)).json();
  return messages.at(-1);
}

describe("RATE_LIMIT_CHAT_CONCURRENT", () => {
  test("has the default 2: a third simultaneous answer must wait until one of two ends", async () => {
    const { client } = await start({ RATE_LIMIT_CHAT_CONCURRENT: "" }, 1);
    const caller = client({ "X-User-Id": "busy" });
    provider.setMode("slow");
    const running = [
      await caller.send("POST", "/chat/message", message("a")),
      await caller.send("POST", "/chat/message", message("b")),
    ];
    const { response, problem } = await caller.ask("c");
    expect(response.status).toBe(429);
    expect(problem).toMatchObject({
      "violated-policies": ["user-concurrent"],
      waits_for: "holders",
      retry_after_seconds: 30,
    });
    // Other callers have their own places.
    provider.setMode("normal");
    expect((await client({ "X-User-Id": "calm" }).ask("d")).response.status).toBe(200);

    for (const { body } of running) await body?.cancel();
  });

  test("counts an answer until it has ended, whether or not it is read", async () => {
    const { client } = await start({ RATE_LIMIT_CHAT_CONCURRENT: "1" }, 1);
    const caller = client({ "X-User-Id": "leaver" });
    provider.setMode("slow");
    const leaves = new AbortController();
    const left = await caller("/chat/message", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message("a")),
      signal: leaves.signal,
    });
    leaves.abort();
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await caller.ask("b")).problem["violated-policies"]).toEqual(["user-concurrent"]);
    }
    provider.release(Number.POSITIVE_INFINITY);
    const next = await until(async () => {
      const asked = await caller.ask("c");
      return asked.response.status === 200 && asked;
    });
    expect(next.text).toBe("one two three four five six");
    const conversationId = left.headers.get("X-Conversation-Id") ?? "";
    expect((await answerOf(caller, conversationId))?.metadata?.incomplete).toBeUndefined();
  });

  test("frees a place after a stop, a failure and a refusal", async () => {
    const { client } = await start({ RATE_LIMIT_CHAT_CONCURRENT: "1" }, 1);
    const caller = client({ "X-User-Id": "unlucky" });
    for (const mode of ["fail-500", "hang-up", "empty", "error-midway", "hang-up-midway"] as const) {
      provider.setMode(mode);
      await caller.ask(mode);
    }
    provider.setMode("slow");
    const running = await caller.send("POST", "/chat/message", message("stop me"));
    await caller.send("POST", "/chat/stop", { conversation_id: running.headers.get("X-Conversation-Id") });
    await running.text();
    provider.setMode("normal");
    expect((await caller.ask("again")).response.status).toBe(200);
  });
});

describe("RATE_LIMIT_CHAT_TOKENS_PER_DAY", () => {
  test("counts the tokens that the provider reports, and reports the remaining tokens with the answer", async () => {
    const { client } = await start({ RATE_LIMIT_CHAT_TOKENS_PER_DAY: "100000" });
    const caller = client({ "X-User-Id": "reader" });
    const { chunks, conversationId } = await caller.ask("count");
    const { inputTokens = 0, outputTokens = 0 } = (await answerOf(caller, conversationId))?.metadata ?? {};
    expect(inputTokens + outputTokens).toBeGreaterThan(0);
    const left = 100_000 - inputTokens - outputTokens;
    expect(await quotaOf(caller, "user-tokens-per-day")).toBe(left);
    const news = chunks.find(({ type }) => type === "data-news")?.data as { quota: unknown[] };
    expect(news.quota).toContainEqual(
      expect.objectContaining({ name: "user-tokens-per-day", unit: "tokens", remaining: left }),
    );
  });

  test("ends an answer cleanly when the tokens run out, and reports it", async () => {
    provider.setText("word ".repeat(4_000));
    const { client } = await start({ RATE_LIMIT_CHAT_TOKENS_PER_DAY: "5000" });
    const caller = client({ "X-User-Id": "talker" });
    const { response, chunks, text, conversationId } = await caller.ask("talk");
    expect(response.status).toBe(200);
    expect(text.length).toBeGreaterThan(1_000);
    expect(text.length).toBeLessThan(20_000);
    expect(chunks.at(-1)).toMatchObject({ type: "finish", finishReason: "length" });
    expect((await answerOf(caller, conversationId))?.metadata?.incomplete).toBe("quota");

    // No tokens are left, so the next message is refused, with the wait of the daily window.
    const refused = await caller.ask("more");
    expect(refused.response.status).toBe(429);
    expect(refused.problem["violated-policies"]).toEqual(["user-tokens-per-day"]);
    expect(refused.problem.waits_for).toBe("window");
  });

  test("refuses a message whose conversation costs too many tokens, stores the question, and charges nothing", async () => {
    const { client } = await start({
      // Other tests have not used this model. Their calls would lower the estimates.
      LLM_MODEL: "unknown-model",
      RATE_LIMIT_CHAT_TOKENS_PER_DAY: "24000",
      RATE_LIMIT_CHAT_PER_MIN: "5",
    });
    const caller = client({ "X-User-Id": "historian" });
    // These characters are a token each, whatever this provider reports.
    const long = "歷史".repeat(7_500);
    const first = await caller.ask(long);
    expect(first.response.status).toBe(200);
    const left = (await quotaOf(caller, "user-tokens-per-day")) ?? 0;
    const provided = provider.requests.length;
    const requests = await quotaOf(caller, "user-per-minute");

    // There are enough tokens for the question without its conversation.
    const { response, problem } = await caller.ask("and now?", {
      conversation_id: first.conversationId,
      id: "q2",
    });
    expect(response.status).toBe(429);
    expect(problem["violated-policies"]).toEqual(["user-tokens-per-day"]);
    expect(Number(response.headers.get("Retry-After"))).toBe(problem.retry_after_seconds);
    expect(problem.request_id).toBeTypeOf("string");
    expect(provider.requests).toHaveLength(provided);
    expect(await quotaOf(caller, "user-tokens-per-day")).toBe(left);
    expect(await quotaOf(caller, "user-per-minute")).toBe(requests);

    // A day later, the question with the same id is answered.
    service?.clock.advance(25 * 3_600_000);
    const again = await caller.ask("and now?", { conversation_id: first.conversationId, id: "q2" });
    expect(again.response.status).toBe(200);
  });

  test("nothing is charged for an answer that never began", async () => {
    const { client } = await start({ RATE_LIMIT_CHAT_TOKENS_PER_DAY: "100000" });
    const caller = client({ "X-User-Id": "unlucky" });
    for (const mode of ["fail-500", "fail-429", "hang-up", "error-first", "empty"] as const) {
      provider.setMode(mode);
      await caller.ask(mode);
      expect([mode, await quotaOf(caller, "user-tokens-per-day")]).toEqual([mode, 100_000]);
    }
  });

  test.each([
    ["more than any answer takes", { prompt_tokens: 1e300, completion_tokens: 1e12 }],
    ["below nothing", { prompt_tokens: -5, completion_tokens: -5 }],
    ["parts of a token", { prompt_tokens: 1.5, completion_tokens: 2.5 }],
    ["nothing", null],
  ])(
    "an answer with a reported usage of %s is saved, and charged a plausible amount",
    async (_what, usage) => {
      const { client } = await start({ LLM_MODEL: `odd-${_what}`, RATE_LIMIT_CHAT_TOKENS_PER_DAY: "100000" });
      const caller = client({ "X-User-Id": "odd" });
      provider.setUsage(usage);
      const { chunks, conversationId } = await caller.ask("count");
      expect(chunks.filter(({ type }) => type === "error")).toEqual([]);
      const {
        inputTokens = 0,
        outputTokens = 0,
        incomplete,
      } = (await answerOf(caller, conversationId))?.metadata ?? {};
      expect(incomplete).toBeUndefined();
      expect(Number.isInteger(inputTokens) && Number.isInteger(outputTokens)).toBe(true);
      const spent = 100_000 - ((await quotaOf(caller, "user-tokens-per-day")) ?? 0);
      expect(spent).toBeGreaterThan(0);
      expect(spent).toBeLessThan(10_000);

      // Other callers are not charged.
      provider.setUsage(undefined);
      const other = client({ "X-User-Id": "even" });
      const even = (await answerOf(other, (await other.ask("count")).conversationId))?.metadata;
      expect(await quotaOf(other, "user-tokens-per-day")).toBe(
        100_000 - (even?.inputTokens ?? 0) - (even?.outputTokens ?? 0),
      );
    },
  );

  test("a stopped answer is charged for the part received", async () => {
    const { client } = await start({ RATE_LIMIT_CHAT_TOKENS_PER_DAY: "100000" });
    const caller = client({ "X-User-Id": "stopper" });
    provider.setMode("slow");
    provider.release(3);
    const running = await caller.send("POST", "/chat/message", message("stop me"));
    await caller.send("POST", "/chat/stop", { conversation_id: running.headers.get("X-Conversation-Id") });
    expect(chunksOf(await running.text()).map(({ type }) => type)).toContain("text-delta");
    const left = (await quotaOf(caller, "user-tokens-per-day")) ?? 0;
    expect(left).toBeLessThan(100_000 - 100);
    expect(left).toBeGreaterThan(100_000 - 10_000);
  });
});

test("RATE_LIMIT_CHAT_GLOBAL counts all callers together", async () => {
  const { client } = await start({ RATE_LIMIT_CHAT_GLOBAL: "3/minute; 1000000 tokens/day" });
  const statuses = [];
  for (const name of ["a", "b", "c", "d"]) {
    const { response, problem } = await client({ "X-User-Id": name }).ask("count");
    statuses.push([response.status, problem["violated-policies"]]);
  }
  expect(statuses).toEqual([
    [200, undefined],
    [200, undefined],
    [200, undefined],
    [429, ["global-per-minute"]],
  ]);
});

test("two hundred streams with readers that disconnect at random lose no place, and charge all tokens", async () => {
  const most = 200;
  const { client } = await start(
    { RATE_LIMIT_CHAT_TOKENS_PER_DAY: "1000000000", RATE_LIMIT_CHAT_CONCURRENT: "1000", MAX_STREAMS: "2000" },
    1,
  );
  const callers = Array.from({ length: 10 }, (_, n) => client({ "X-User-Id": `crowd-${n}` }));
  provider.setMode("slow");
  const leaving: (() => void)[] = [];
  const streams = await Promise.all(
    Array.from({ length: most }, async (_, n) => {
      const leaves = new AbortController();
      // Disconnect at the first word, before it, in the middle, or not at all.
      if (n % 4 === 0) leaving.push(() => leaves.abort());
      const response = await (callers[n % 10] as TestClient)("/chat/message", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(message(`question ${n}`)),
        signal: leaves.signal,
      });
      if (n % 4 === 1) leaves.abort();
      return { response, leaves, n };
    }),
  );
  provider.release(most);
  for (const leave of leaving) leave();
  for (const { leaves, n } of streams) if (n % 4 === 2) leaves.abort();
  provider.release(Number.POSITIVE_INFINITY);
  for (const { response, n } of streams) if (n % 4 === 3) await response.text();
  expect(streams.every(({ response }) => response.status === 200)).toBe(true);

  let counted = 0;
  let charged = 0;
  for (const caller of callers) {
    const conversations = await until(async () => {
      const { conversations } = await (await caller("/conversations?limit=100")).json();
      const whole = [];
      for (const { id } of conversations) {
        const answer = await answerOf(caller, id);
        if (answer?.role === "assistant" && answer.metadata?.outputTokens !== undefined) whole.push(answer);
      }
      return whole.length === most / 10 && whole;
    });
    for (const { metadata } of conversations)
      counted += (metadata?.inputTokens ?? 0) + (metadata?.outputTokens ?? 0);
    charged += 1_000_000_000 - ((await quotaOf(caller, "user-tokens-per-day")) ?? 0);
    provider.setMode("normal");
    const { response } = await caller.ask("any place left?");
    // If a short answer ends before its head is sent, its place is free again.
    expect(response.headers.get("RateLimit")).toMatch(/"user-concurrent";r=(999|1000);/);
  }
  expect(provider.requests).toHaveLength(most + callers.length);
  expect(charged).toBe(counted);
});
