import { fakeClock } from "headgate/testing";
import type { Problem } from "../contract.ts";
import type { Environment } from "../server/config/variables.ts";
import { createBuiltInModel } from "../server/model/built-in/language-model.ts";
import { chooseModels, type ModelChoice } from "../server/model/provider.ts";
import { type Service, type ServiceOptions, startService } from "../server/start.ts";
import { openTestDatabase } from "./database.ts";

export type FakeClock = ReturnType<typeof fakeClock>;

export interface TestService extends Service {
  clock: FakeClock;
  /** Creates a client with its own cookies, like a browser. */
  client(headers?: Record<string, string>): TestClient;
}

export interface TestClient {
  (path: string, init?: RequestInit): Promise<Response>;
  /** Sends a body as JSON. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Sends one question, and reads the answer to its end. */
  ask(question: string, more?: Record<string, unknown>): Promise<Asked>;
  cookies: Map<string, string>;
}

/** One chunk of the AI SDK's UI message protocol. */
export interface Chunk {
  type: string;
  [member: string]: unknown;
}

export interface Asked {
  response: Response;
  /** Of a streamed answer. */
  chunks: Chunk[];
  text: string;
  conversationId: string;
  /** Of anything else. */
  problem: Problem & Record<string, unknown>;
}

/** A morning in November 2026, not near the start or end of the month. */
export const TEST_START_MS = Date.UTC(2026, 10, 10, 9, 0, 0);

/** The built-in responder without delays between words. Free, unless the variables set a price. */
export function promptModel(clock: { now(): number }, env: Environment = {}): ModelChoice {
  const [choice] = chooseModels(env, { clock });
  return { ...choice, model: createBuiltInModel({ clock, pace: async () => {} }) };
}

/**
 * Starts the service on a free port, with a stopped clock and a model without delays. The limits come from the test
 * environment's variables, unless `env` overrides them.
 */
export async function startTestService(options: Partial<ServiceOptions> = {}): Promise<TestService> {
  const clock = (options.clock ?? fakeClock(TEST_START_MS)) as FakeClock;
  const limits = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name.startsWith("RATE_LIMIT_")),
  );
  const env = { DATABASE_URL: "pglite://memory", PORT: "0", LOG_LEVEL: "silent", ...limits, ...options.env };
  const isInMemory = env.DATABASE_URL === "pglite://memory";
  const database = options.database ?? (isInMemory ? await openTestDatabase() : undefined);
  const hasOwnModel = Object.keys(env).some((name) => /^(LLM|OPENAI|ANTHROPIC)_/.test(name));
  const service = await startService({
    ...(hasOwnModel ? {} : { model: promptModel(clock, options.env) }),
    ...options,
    ...(database ? { database } : {}),
    env,
    clock,
  });
  return {
    ...service,
    clock,
    client: (headers) => createClient(service.url, headers),
    async close() {
      await service.close();
      if (!options.database) await database?.close();
    },
  };
}

/** A caller with cookies of its own, of a service that listens at `url`. */
export function createClient(url: string, ownHeaders: Record<string, string> = {}): TestClient {
  const cookies = new Map<string, string>();

  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers({ ...ownHeaders, ...Object.fromEntries(new Headers(init.headers)) });
    if (cookies.size > 0) {
      headers.set("Cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    const response = await fetch(new URL(path, url), { redirect: "manual", ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "" || /max-age=0/i.test(cookie)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }

  const send: TestClient["send"] = (method, path, body, headers = {}) =>
    request(path, {
      method,
      headers: { "Content-Type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const ask: TestClient["ask"] = async (question, more = {}) => {
    const { id, ...rest } = more;
    const message = { role: "user", content: question, ...(id === undefined ? {} : { id }) };
    const response = await send("POST", "/chat/message", { messages: [message], ...rest });
    const body = await response.text();
    const chunks = response.ok ? chunksOf(body) : [];
    return {
      response,
      chunks,
      text: textOf(chunks),
      conversationId: response.headers.get("X-Conversation-Id") ?? "",
      problem: response.ok ? ({} as Asked["problem"]) : JSON.parse(body),
    };
  };

  return Object.assign(request, { send, ask, cookies });
}

/** Returns the chunks of a complete stream. */
export function chunksOf(events: string): Chunk[] {
  return events
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice("data: ".length)) as Chunk);
}

export function textOf(chunks: Chunk[]): string {
  return chunks.map((chunk) => (chunk.type === "text-delta" ? chunk.delta : "")).join("");
}

/** Waits until `look` returns a value. Other work continues in between. */
export async function until<Value>(look: () => Promise<Value | undefined | false>): Promise<Value> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
