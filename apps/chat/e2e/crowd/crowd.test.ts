import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { isNull } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Me } from "../../contract.ts";
import { type OpenDatabase, openDatabase } from "../../server/database/connect.ts";
import { turns } from "../../server/database/schema.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import { startTestService, type TestClient, type TestService } from "../../testing/service.ts";

const PEOPLE = 20;
const PLACES = 1_000;
const QUOTA = 100_000_000;
const CHUNK_TOKENS = 256;
/** The price of a token, read or written, in micros. */
const PRICE = 10;
const ALLOWANCE = 900_000_000;

const text = Array.from({ length: 40 }, (_, n) => `word ${n},`).join(" ");

/** Returns pseudo-random numbers, the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

describe.each([
  ["PostgreSQL", "Redis"],
  ["PostgreSQL", "PostgreSQL"],
  ["an embedded database", "this process"],
])("on %s, the limits counted by %s", (kind, counting) => {
  let database: OpenDatabase;
  let storageUri: string;
  let provider: OpenAiServer;
  let service: TestService;
  let people: TestClient[];
  const removals: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    if (kind === "an embedded database") {
      database = await openDatabase({ kind: "memory" });
      storageUri = "memory://";
      removals.push(database.close);
      return;
    }
    const postgres = await startPostgres();
    const redis = counting === "Redis" ? await startRedis() : undefined;
    database = await openDatabase({ kind: "postgres", url: postgres.url });
    storageUri = redis?.url ?? postgres.url;
    removals.push(database.close, postgres.remove, async () => redis?.remove());
  });

  afterAll(async () => {
    for (const remove of removals) await remove();
  });

  beforeEach(async () => {
    provider = await startOpenAiServer({ text, mode: "slow" });
    service = await startTestService({
      database,
      // The head of an answer does not wait for the provider's first word.
      undecidedAfterMs: 1,
      env: {
        RATE_LIMIT_STORAGE_URI: storageUri,
        RATE_LIMIT_CHAT_PER_MIN: "100000",
        RATE_LIMIT_CHAT_PER_HOUR: "100000",
        RATE_LIMIT_CHAT_IP_PER_MIN: "100000",
        RATE_LIMIT_BODIES_IP_PER_MIN: "100000",
        RATE_LIMIT_SIGN_IN_IP_PER_MIN: "100000",
        RATE_LIMIT_CHAT_CONCURRENT: String(PLACES),
        // No token becomes free again while the test runs.
        RATE_LIMIT_CHAT_TOKENS_PER_DAY: `${QUOTA} tokens/day sliding-window`,
        MAX_STREAMS: "2000",
        LLM_BASE_URL: provider.url,
        LLM_MODEL: "test-model",
        MODEL_PRICE_INPUT_PER_MTOK: String(PRICE),
        MODEL_PRICE_OUTPUT_PER_MTOK: String(PRICE),
        CREDIT_EXCHANGE_RATE: "1",
        CREDIT_MONTHLY_ALLOWANCE: String(ALLOWANCE / 1_000_000),
      },
    });
    people = [];
    for (let n = 0; n < PEOPLE; n += 1) {
      const client = service.client();
      const person = {
        email: `${crypto.randomUUID()}@example.com`,
        password: "correct horse battery",
        name: "Ada",
      };
      expect((await client.send("POST", "/auth/sign-up/email", person)).status).toBe(200);
      people.push(client);
    }
    return async () => {
      provider.release(Number.POSITIVE_INFINITY);
      await service.close();
      await provider.close();
    };
  });

  /** Sends a question, and leaves before the head, after it, after some words, or never. */
  async function ask(n: number, roll: (sides: number) => number): Promise<void> {
    const leaves = roll(4);
    const leaving = new AbortController();
    if (leaves === 0) setTimeout(() => leaving.abort(), roll(200));
    try {
      const response = await (people[n % PEOPLE] as TestClient)("/chat/message", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          messages: [{ role: "user", content: `person-${n % PEOPLE} asks question ${n}` }],
        }),
        signal: leaving.signal,
      });
      expect(response.status).toBe(200);
      if (leaves === 3) return void (await response.text());
      const reader = response.body?.getReader();
      for (let left = leaves === 1 ? 0 : 1 + roll(20); left > 0; left -= 1) await reader?.read();
      leaving.abort();
    } catch (error) {
      expect((error as Error).name).toBe("AbortError");
    }
  }

  test.each<[number, boolean]>([
    [200, false],
    [1_000, true],
  ])(
    "%i streams whose clients hang up at random lose no place, and each answer is charged once (usage reported: %s)",
    async (streams, isReported) => {
      provider.setUsage(isReported ? undefined : null);
      const roll = dice(streams);
      const asked = Array.from({ length: streams }, (_, n) => ask(n, roll));
      // First each answer gets a word or two, then all of them get the rest.
      await expect.poll(() => provider.requests.length, { timeout: 240_000 }).toBeGreaterThan(streams / 2);
      provider.release(streams);
      provider.release(Number.POSITIVE_INFINITY);
      await Promise.all(asked);
      const running = () => database.database.$count(turns, isNull(turns.endedAt));
      await expect.poll(running, { timeout: 240_000, interval: 200 }).toBe(0);
      expect(provider.requests.filter(({ aborted }) => aborted)).toEqual([]);

      for (const [index, client] of people.entries()) {
        const calls = provider.requests.filter(({ body }) =>
          JSON.stringify(body.messages?.at(-1)).includes(`person-${index} asks`),
        );
        expect(calls.length).toBeGreaterThan(0);
        const sumOf = (of: "prompt_tokens" | "completion_tokens") =>
          calls.reduce((sum, { counted }) => sum + (counted?.[of] ?? Number.NaN), 0);
        const [read, written] = [sumOf("prompt_tokens"), sumOf("completion_tokens")];
        const { quota, credit }: Me = await (await client("/me")).json();
        const charged = QUOTA - (quota.find(({ unit }) => unit === "tokens")?.remaining ?? Number.NaN);
        const ledger: { kind: string; amount: number; inputTokens: number; outputTokens: number }[] = (
          await (await client("/account/export")).json()
        ).credit;
        const usage = ledger.filter(({ kind }) => kind === "usage");
        const inputTokens = usage.reduce((sum, entry) => sum + entry.inputTokens, 0);
        const outputTokens = usage.reduce((sum, entry) => sum + entry.outputTokens, 0);
        expect(usage).toHaveLength(calls.length);
        expect(credit).toMatchObject({ held: 0, balance: ALLOWANCE - PRICE * (inputTokens + outputTokens) });
        if (isReported) {
          expect({ inputTokens, outputTokens, charged }).toEqual({
            inputTokens: read,
            outputTokens: written,
            charged: read + written,
          });
        } else {
          // The input is estimated rather too high, because this provider does not count tools.
          expect(inputTokens).toBeGreaterThanOrEqual(read);
          expect(Math.abs(outputTokens - written)).toBeLessThanOrEqual(CHUNK_TOKENS * calls.length);
          expect(charged).toBeGreaterThanOrEqual(read + written);
        }
      }
      provider.setMode("normal");
      for (const client of people) {
        const { response } = await client.ask("Is there any place left?");
        expect(response.headers.get("RateLimit")).toMatch(
          new RegExp(`"user-concurrent";r=(${PLACES - 1}|${PLACES});`),
        );
      }
    },
    600_000,
  );
});
