import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ChatMessage, Me } from "../../contract.ts";
import { type OpenAiServer, startOpenAiServer } from "../../testing/openai-server.ts";
import { chunksOf, createClient, type TestClient, textOf } from "../../testing/service.ts";
import { buildService, type ServiceProcess, startServiceProcess } from "../../testing/service-process.ts";

/** How long an answer holds its place after its process was killed. */
const LEASE_SECONDS = 30;
/** Every test waits for events. This is only the maximum, for a busy machine. */
const PATIENCE_MS = 240_000;
const TEST_MS = 1_200_000;
/** The two halves of a text may have a few more tokens than the whole. */
const ROUNDING = 20;
const QUOTA = 1_000_000;
/** The price of a token, read or written, in micros. */
const PRICE = 100;
const ALLOWANCE = 900_000_000;
const MOST_WORDS = 4_000;

interface Kind {
  /** Whether a second process serves the same database. */
  isShared: boolean;
  /** Whether the limits' counts survive the end of the process. */
  keepsCounts: boolean;
  start(folder: string): Promise<{ env: Record<string, string>; remove(): Promise<void> }>;
}

const kinds: Record<string, Kind> = {
  "an embedded database": {
    isShared: false,
    keepsCounts: false,
    start: async (folder) => ({
      env: { DATABASE_URL: `pglite://${folder}/database` },
      remove: async () => {},
    }),
  },
  "PostgreSQL and Redis": {
    isShared: true,
    keepsCounts: true,
    async start() {
      const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
      return {
        env: { DATABASE_URL: postgres.url, RATE_LIMIT_STORAGE_URI: redis.url },
        remove: async () => void (await Promise.all([postgres.remove(), redis.remove()])),
      };
    },
  },
  "PostgreSQL alone": {
    isShared: true,
    keepsCounts: true,
    async start() {
      const postgres = await startPostgres();
      return {
        env: { DATABASE_URL: postgres.url, RATE_LIMIT_STORAGE_URI: postgres.url },
        remove: () => postgres.remove(),
      };
    },
  },
};

beforeAll(buildService);

describe.each(Object.entries(kinds))("processes that are killed, on %s", (_name, kind) => {
  let folder: string;
  let provider: OpenAiServer;
  let kept: Awaited<ReturnType<Kind["start"]>>;
  const running: ServiceProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "headgate-killed-"));
    kept = await kind.start(folder);
  });

  afterEach(async () => {
    for (const { child, exited } of running.splice(0)) {
      child.kill("SIGKILL");
      await exited;
    }
    await provider.close();
  });

  afterAll(async () => {
    await kept.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function begin(text: string): Promise<void> {
    provider = await startOpenAiServer({ text, mode: "slow" });
  }

  async function start(env: Record<string, string> = {}): Promise<{ url: string; kill(): Promise<void> }> {
    const service = startServiceProcess(
      {
        ...kept.env,
        LLM_BASE_URL: provider.url,
        LLM_MODEL: "test-model",
        MODEL_PRICE_INPUT_PER_MTOK: String(PRICE),
        MODEL_PRICE_OUTPUT_PER_MTOK: String(PRICE),
        CREDIT_EXCHANGE_RATE: "1",
        CREDIT_MONTHLY_ALLOWANCE: String(ALLOWANCE / 1_000_000),
        AUTH_SECRET: "a secret of thirty-two characters",
        RATE_LIMIT_CHAT_PER_MIN: "1000",
        RATE_LIMIT_CHAT_PER_HOUR: "1000",
        RATE_LIMIT_CHAT_IP_PER_MIN: "1000",
        RATE_LIMIT_BODIES_IP_PER_MIN: "10000",
        // No token becomes free again while the test runs.
        RATE_LIMIT_CHAT_TOKENS_PER_DAY: `${QUOTA} tokens/day sliding-window`,
        ...env,
      },
      { compiledFolder: path.join(folder, "compiled") },
    );
    running.push(service);
    const url = await Promise.race([
      service.ready,
      service.exited.then(({ stderr }) => Promise.reject(new Error(stderr))),
    ]);
    return {
      url,
      async kill() {
        service.child.kill("SIGKILL");
        await service.exited;
      },
    };
  }

  async function signUp(client: TestClient): Promise<void> {
    const person = {
      email: `${crypto.randomUUID()}@example.com`,
      password: "correct horse battery",
      name: "Ada",
    };
    expect((await client.send("POST", "/auth/sign-up/email", person)).status).toBe(200);
  }

  function sameCaller(client: TestClient, url: string): TestClient {
    const other = createClient(url);
    for (const [name, value] of client.cookies) other.cookies.set(name, value);
    return other;
  }

  const meOf = async (client: TestClient): Promise<Me> => (await client("/me")).json();

  async function tokensTaken(client: TestClient): Promise<number> {
    const { quota } = await meOf(client);
    return QUOTA - (quota.find(({ unit }) => unit === "tokens")?.remaining ?? Number.NaN);
  }

  /**
   * Waits until the answers in flight have sent two heartbeats, of which the second began after this call. A refusal
   * shows the heartbeats: its wait ends with the lease of the earliest place, which a heartbeat renews.
   */
  async function untilBeaten(client: TestClient): Promise<void> {
    let before = Number.POSITIVE_INFINITY;
    let beats = 0;
    await expect
      .poll(
        async () => {
          const { problem } = await client.ask("Is there a place?");
          expect(problem.waits_for).toBe("holders");
          const wait = Number(problem.retry_after_seconds);
          if (wait > before) beats += 1;
          before = wait;
          return beats;
        },
        { timeout: PATIENCE_MS, interval: 500 },
      )
      .toBeGreaterThanOrEqual(2);
  }

  /** Waits until the database has these words of a running answer. A second reader reads them from there. */
  async function untilKept(client: TestClient, { conversationId, said }: Read): Promise<void> {
    const words = said();
    const leaving = new AbortController();
    const response = await client(`/chat/stream/${conversationId()}`, { signal: leaving.signal });
    // The answer has ended and is saved.
    if (response.status === 204) return;
    expect(response.status).toBe(200);
    let kept = "";
    await gather(response, (events) => {
      kept = textOf(chunksOf(wholeLines(events)));
      if (kept.startsWith(words)) leaving.abort();
    }).catch(() => {});
    expect(kept.startsWith(words)).toBe(true);
  }

  async function messagesOf(client: TestClient, conversationId: string): Promise<ChatMessage[]> {
    const response = await client(`/conversations/${conversationId}`);
    expect(response.status).toBe(200);
    return (await response.json()).messages;
  }

  const wordsOf = (message: ChatMessage | undefined) =>
    message?.parts.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "";

  async function ledgerOf(client: TestClient) {
    const { credit } = await (await client("/account/export")).json();
    return credit as { kind: string; amount: number; reference: string }[];
  }

  /**
   * Checks that the ledger has every answer with a cost once, with its use, and nothing else, and that nothing is held.
   */
  async function expectBalanced(client: TestClient, answers: readonly ChatMessage[]): Promise<void> {
    const { credit } = await meOf(client);
    const ledger = await ledgerOf(client);
    expect(credit?.held).toBe(0);
    expect(ledger.reduce((sum, { amount }) => sum + amount, 0)).toBe(credit?.balance);
    const charges = ledger
      .filter(({ kind: of }) => of === "usage")
      .map(({ reference, amount }) => [reference, amount]);
    // Use after the last heartbeat is not charged. For some answers this is the whole use.
    const costing = answers
      .map(({ id, metadata }) => ({
        id,
        tokens: (metadata?.inputTokens ?? 0) + (metadata?.outputTokens ?? 0),
      }))
      .filter(({ tokens }) => tokens > 0);
    expect(Object.fromEntries(charges)).toEqual(
      Object.fromEntries(costing.map(({ id, tokens }) => [id, -PRICE * tokens])),
    );
    expect(charges).toHaveLength(costing.length);
  }

  test(
    "during a stream: places are free within the lease, at most one heartbeat of tokens is not charged, and the sent words are kept",
    async () => {
      // Each word has the same number of tokens.
      const text = Array.from({ length: MOST_WORDS }, (_, n) => `word-${1_000 + n}`).join(" ");
      await begin(text);
      const first = await start();
      const second = kind.isShared ? await start() : undefined;
      const one = createClient(first.url);
      await signUp(one);

      // Returns how many tokens are charged for a question and this number of words if the provider reports no usage.
      provider.setMode("normal");
      provider.setUsage(null);
      const controls: ChatMessage[] = [];
      const chargedFor = async (words: number): Promise<number> => {
        provider.setText(text.split(" ").slice(0, words).join(" "));
        const before = await tokensTaken(one);
        const { conversationId } = await one.ask("Tell me all.");
        controls.push((await messagesOf(one, conversationId)).at(-1) as ChatMessage);
        return (await tokensTaken(one)) - before;
      };
      const [few, some, many] = [await chargedFor(1), await chargedFor(801), await chargedFor(901)];
      const takenBefore = await tokensTaken(one);
      provider.setText(text);
      provider.setMode("slow");

      // Start as many answers as one caller may have at the same time, and read the first word of each.
      const asked = ["q1", "q2"].map((id) => read(one, { id, role: "user", content: "Tell me all." }));
      await expect.poll(() => provider.requests.length, { timeout: PATIENCE_MS }).toBe(controls.length + 2);
      provider.release(2);
      const wordsSaid = () =>
        asked.reduce((sum, { said }) => sum + (said().match(/word-\d+/g)?.length ?? 0), 0);
      await expect.poll(() => asked.every(({ said }) => said() !== ""), { timeout: PATIENCE_MS }).toBe(true);
      provider.release(800);
      await expect.poll(wordsSaid, { timeout: PATIENCE_MS }).toBe(802);
      const saidBefore = asked.map(({ said }) => said());
      for (const answer of asked) await untilKept(one, answer);
      // After two heartbeats, the use so far stays charged.
      if (kind.keepsCounts) await untilBeaten(sameCaller(one, (second ?? first).url));
      provider.release(100);
      await expect.poll(wordsSaid, { timeout: PATIENCE_MS }).toBe(902);
      await first.kill();
      await Promise.all(asked.map(({ ended }) => ended));

      const { url } = second ?? (await start());
      const two = sameCaller(one, url);
      if (kind.keepsCounts) {
        // A dead process cannot be distinguished from a slow one, so its places are taken until the lease ends.
        const { response, problem } = await two.ask("Is there a place?");
        expect([response.status, problem.waits_for]).toEqual([429, "holders"]);
        expect(problem.retry_after_seconds).toBeLessThanOrEqual(LEASE_SECONDS);
        await pause(Number(problem.retry_after_seconds) * 1_000);
      }
      provider.setMode("normal");
      provider.setText("Yes, there is.");
      provider.setUsage(undefined);
      const next = await two.ask("Is there a place?");
      expect([next.response.status, next.text]).toEqual([200, "Yes, there is."]);

      const conversations = asked.map(({ conversationId }) => conversationId());
      const partial: ChatMessage[] = [];
      for (const [index, conversationId] of conversations.entries()) {
        await expect
          .poll(async () => (await messagesOf(two, conversationId)).at(-1)?.metadata?.incomplete, {
            timeout: PATIENCE_MS,
            interval: 500,
          })
          .toBe("failed");
        const answer = (await messagesOf(two, conversationId)).at(-1) as ChatMessage;
        expect(answer.role).toBe("assistant");
        expect(text.startsWith(wordsOf(answer))).toBe(true);
        expect(wordsOf(answer).startsWith(saidBefore[index] ?? "")).toBe(true);
        partial.push(answer);
      }
      const whole = (await messagesOf(two, next.conversationId)).at(-1) as ChatMessage;
      await expectBalanced(two, [...controls, ...partial, whole]);

      if (kind.keepsCounts) {
        const { inputTokens = 0, outputTokens = 0 } = whole.metadata ?? {};
        const charged = (await tokensTaken(two)) - inputTokens - outputTokens;
        // At the heartbeat before the last words, the two answers had 802 words; at the end they have 902.
        expect(charged - takenBefore).toBeGreaterThanOrEqual(few + some - ROUNDING);
        expect(charged - takenBefore).toBeLessThanOrEqual(few + many + ROUNDING);
      }

      // Messages that are sent again with the same ids get the saved answers without a charge.
      const requests = provider.requests.length;
      for (const [index, id] of ["q1", "q2"].entries()) {
        const again = await two.ask("Tell me all.", { id });
        expect([again.text, again.conversationId]).toEqual([wordsOf(partial[index]), conversations[index]]);
      }
      expect(provider.requests).toHaveLength(requests);
      await expectBalanced(two, [...controls, ...partial, whole]);
    },
    TEST_MS,
  );

  test(
    "twenty times under load: nothing that was acknowledged is lost, and the ledger balances",
    async () => {
      const text = "one two three four five six seven eight nine ten eleven twelve";
      await begin(text);
      const MOST_OF_A_ROUND = 4 * text.split(" ").length;
      /**
       * In this round, the process is killed when the database has parts of answers. In other rounds, the database may
       * have none.
       */
      const HALF_KEPT = 8;
      const env = { RATE_LIMIT_CHAT_CONCURRENT: "1000" };
      let client: TestClient | undefined;
      const all: Read[] = [];
      for (let round = 0; round < 20; round += 1) {
        const service = await start(env);
        const asking = client ? sameCaller(client, service.url) : createClient(service.url);
        if (!client) await signUp(asking);
        client = asking;
        const asked = Array.from({ length: 4 }, (_, n) =>
          read(asking, { id: `q-${round}-${n}`, role: "user", content: `question ${round} ${n}` }),
        );
        all.push(...asked);
        // Some rounds end before an answer has begun, some when all answers are complete, and others in between.
        const words = Math.min(round * 3, MOST_OF_A_ROUND);
        // The provider may still send some of these words to a connection of the last round.
        provider.release(words < MOST_OF_A_ROUND ? words : Number.POSITIVE_INFINITY);
        const isFar =
          words < MOST_OF_A_ROUND
            ? () => asked.reduce((sum, { said }) => sum + said().split(" ").length - 1, 0) >= words - 8
            : () => asked.every(({ chunks }) => chunks().some(({ type }) => type === "finish"));
        await expect.poll(isFar, { timeout: PATIENCE_MS }).toBe(true);
        if (round === HALF_KEPT) {
          for (const one of asked) if (one.said() !== "") await untilKept(asking, one);
        }
        await service.kill();
        await Promise.all(asked.map(({ ended }) => ended));
        provider.setMode("slow");
      }
      const { url } = await start(env);
      const two = sameCaller(client as TestClient, url);
      await expect
        .poll(async () => (await meOf(two)).credit?.held, { timeout: PATIENCE_MS, interval: 500 })
        .toBe(0);

      const answers: ChatMessage[] = [];
      let whole = 0;
      for (const { conversationId, chunks, question } of all) {
        // If a client never got a head, the service has not acknowledged its message.
        if (conversationId() === "") continue;
        const [stored, answer] = await messagesOf(two, conversationId());
        expect(wordsOf(stored)).toBe(question);
        if (answer) answers.push(answer);
        if (!chunks().some(({ type }) => type === "finish")) continue;
        whole += 1;
        expect([wordsOf(answer), answer?.metadata?.incomplete]).toEqual([text, undefined]);
      }
      expect(whole).toBeGreaterThan(0);
      expect(answers.length).toBeGreaterThan(whole);
      // Include answers whose head never arrived.
      const known = new Set(answers.map(({ id }) => id));
      const { conversations } = await (await two("/conversations?limit=100")).json();
      for (const { id } of conversations as { id: string }[]) {
        const answer = (await messagesOf(two, id))[1];
        if (answer && !known.has(answer.id)) answers.push(answer);
      }
      await expectBalanced(two, answers);
    },
    TEST_MS,
  );
});

interface Read {
  question: string;
  /** The received part of the answer. */
  said(): string;
  chunks(): ReturnType<typeof chunksOf>;
  /** The conversation's id; empty until the head has arrived. */
  conversationId(): string;
  /** Settles when the answer has ended, or its process is gone. */
  ended: Promise<void>;
}

/** Sends a message, and collects the answer. */
function read(client: TestClient, message: { id: string; role: "user"; content: string }): Read {
  let events = "";
  let conversationId = "";
  const run = async () => {
    let response = await client.send("POST", "/chat/message", { messages: [message] });
    // Retry a busy service after the wait that it reports.
    for (let tries = 0; response.status === 503 && tries < 60; tries += 1) {
      await pause(Number(response.headers.get("Retry-After") ?? 1) * 1_000);
      response = await client.send("POST", "/chat/message", { messages: [message] });
    }
    conversationId = response.headers.get("X-Conversation-Id") ?? "";
    await gather(response, (soFar) => {
      events = soFar;
    });
  };
  const chunks = () => chunksOf(wholeLines(events));
  return {
    question: message.content,
    said: () => textOf(chunks()),
    chunks,
    conversationId: () => conversationId,
    ended: run().catch(() => {}),
  };
}

/** Reads a stream of events, and reports everything so far after each piece. */
async function gather(response: Response, report: (events: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let events = "";
  for await (const bytes of response.body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
    events += decoder.decode(bytes, { stream: true });
    report(events);
  }
}

/** Leaves out the last line of a stream that was cut off with its process, because it may be incomplete. */
const wholeLines = (events: string) => events.slice(0, events.lastIndexOf("\n") + 1);
