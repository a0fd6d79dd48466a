// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatMessage } from "../../../contract.ts";
import { client } from "../service/client.ts";
import type { Failure } from "../service/failure.ts";
import { draftOf, forgetDrafts } from "./drafts.ts";
import { textOf } from "./message.ts";
import { type ChatSession, createSession } from "./session.ts";

interface Sent {
  messages: ChatMessage[];
  conversation_id?: string;
  replaces?: string;
}

let sent: Sent[];
let answer: (init: RequestInit) => Promise<Response>;
/** Responds to `/chat/stop`, `/chat/stream` and `/conversations`. By default the connection is lost. */
let other: (path: string, init: RequestInit) => Promise<Response>;
let failures: Failure["kind"][];
let outcomes: string[];
let news: unknown[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  localStorage.clear();
  for (const id of ["new", "c1"]) draftOf(id).set({ text: "" });
  sent = [];
  failures = [];
  outcomes = [];
  news = [];
  other = async () => {
    throw new TypeError("Failed to fetch");
  };
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    if (path !== "/chat/message") return other(path, init);
    sent.push(JSON.parse(String(init.body)) as Sent);
    return answer(init);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function problem(status: number, members: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ status, ...members }), {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

const refused = () =>
  problem(429, { error: "Too many requests", retry_after_seconds: 42 }, { "retry-after": "42" });

function stream(chunks: object[], end = true, signal?: AbortSignal | null): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`));
      if (end) controller.close();
      signal?.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "x-conversation-id": "c1" } });
}

/** Like `stream`, but stays open until the test closes it. */
function held(chunks: object[], give: (close: () => void) => void): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`));
      give(() => {
        const end = { type: "message-metadata", messageMetadata: { incomplete: "stopped" } };
        controller.enqueue(encoder.encode(`data: ${JSON.stringify(end)}\n\n`));
        controller.close();
      });
    },
  });
  return new Response(body, { headers: { "x-conversation-id": "c1" } });
}

const words = [
  { type: "start", messageId: "a1", messageMetadata: { model: "Built-in" } },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "£34,023.98" },
];
const whole = [...words, { type: "text-end", id: "t" }, { type: "finish" }];

const message = (id: string, role: "user" | "assistant", text: string): ChatMessage => ({
  id,
  role,
  parts: [{ type: "text", text }],
});

function open(stored?: ChatMessage[]): ChatSession {
  return createSession(stored && { id: "c1", messages: stored }, {
    accepted: () => undefined,
    ended(_, __, outcome, told) {
      outcomes.push(outcome);
      news.push(told);
    },
    failed: (_, failure) => failures.push(failure.kind),
  });
}

const thread = (session: ChatSession) => session.messages.get().map((each) => [each.role, textOf(each)]);

test("an answered question leaves the composer and becomes a conversation", async () => {
  answer = async () => stream(whole);
  const session = open();
  session.draft().set({ text: "take-home on £45k" });
  await session.ask();
  expect(thread(session)).toEqual([
    ["user", "take-home on £45k"],
    ["assistant", "£34,023.98"],
  ]);
  expect(session.state.get()).toEqual({ conversationId: "c1", phase: "idle", failure: null });
  expect(draftOf("new").get()).toEqual({ text: "" });
  expect(outcomes).toEqual(["whole"]);
});

test("quota and credit come from the end of the stream, and are not part of the message", async () => {
  const told = { cost: 10, quota: [], tightest: null, credit: null };
  answer = async () => stream([...words, { type: "data-news", data: told }, { type: "finish" }]);
  const session = open();
  session.draft().set({ text: "£45k" });
  await session.ask();
  expect(news).toEqual([told]);
  expect(session.messages.get()[1]?.parts.map(({ type }) => type)).toEqual(["text"]);
});

test("a refused question stays in the composer, but not in the thread or the next request", async () => {
  answer = async () => refused();
  const session = open();
  session.draft().set({ text: "one too many" });
  await session.ask();
  expect(thread(session)).toEqual([]);
  expect(session.draft().get().text).toBe("one too many");
  expect(failures).toEqual(["refused"]);

  answer = async () => stream(whole);
  await session.resend();
  expect(sent[1]?.messages.map(textOf)).toEqual(["one too many"]);
  expect(thread(session)).toHaveLength(2);
  expect(session.draft().get().text).toBe("");
  expect(session.state.get().failure).toBeNull();
});

test("a slow refusal puts the question back, before text that was typed in the meantime", async () => {
  let refuse: (response: Response) => void = () => undefined;
  answer = () =>
    new Promise((resolve) => {
      refuse = resolve;
    });
  const session = open();
  session.draft().set({ text: "one too many" });
  const asking = session.ask();
  expect(session.state.get().phase).toBe("asking");
  expect(thread(session)).toEqual([]);
  await vi.advanceTimersByTimeAsync(300);
  expect(session.state.get().phase).toBe("waiting");
  expect(thread(session)).toEqual([["user", "one too many"]]);
  expect(session.draft().get().text).toBe("");
  session.draft().set((draft) => ({ ...draft, text: "and another" }));
  refuse(refused());
  await asking;
  expect(session.draft().get().text).toBe("one too many\n\nand another");
  expect(thread(session)).toEqual([]);
});

test("resending sends the text in the composer, not the refused text", async () => {
  answer = async () => refused();
  const session = open();
  session.draft().set({ text: "fisrt" });
  await session.ask();
  session.draft().set((draft) => ({ ...draft, text: "first" }));
  answer = async () => stream(whole);
  await session.resend();
  expect(sent[1]?.messages.map(textOf)).toEqual(["first"]);
  expect(sent[1]?.messages[0]?.id).not.toBe(sent[0]?.messages[0]?.id);
});

test("the same text sent again has the same id, so that it cannot be stored twice", async () => {
  answer = async () => {
    throw new TypeError("Failed to fetch");
  };
  const session = open([]);
  session.draft().set({ text: "hello" });
  await session.ask();
  expect(failures).toEqual(["unreachable"]);
  answer = async () => stream(whole);
  await session.resend();
  expect(sent[1]?.messages[0]?.id).toBe(sent[0]?.messages[0]?.id);
});

test("an edited question replaces the old question; if it is refused, the old question returns and the edit is kept", async () => {
  const stored = [message("q1", "user", "£45k"), message("a0", "assistant", "£34k")];
  const session = open(stored);
  session.draft().set({ text: "£46k", replaces: "q1", aside: "a thought" });
  answer = async () => refused();
  await session.ask();
  expect(thread(session)).toEqual([
    ["user", "£45k"],
    ["assistant", "£34k"],
  ]);
  expect(session.draft().get()).toMatchObject({ text: "£46k", replaces: "q1", aside: "a thought" });

  answer = async () => stream(whole);
  await session.resend();
  expect(sent[1]).toMatchObject({ conversation_id: "c1", replaces: "q1" });
  expect(thread(session)).toEqual([
    ["user", "£46k"],
    ["assistant", "£34,023.98"],
  ]);
  expect(session.draft().get()).toEqual({ text: "a thought" });
});

test("a retried answer replaces the old answer, which stays if the retry is refused", async () => {
  const session = open([message("q1", "user", "£45k"), message("a0", "assistant", "old")]);
  answer = async () => refused();
  await session.again("a0");
  expect(thread(session)[1]).toEqual(["assistant", "old"]);
  expect(session.draft().get().text).toBe("");

  answer = async () => stream(whole);
  await session.resend();
  expect(sent[1]).toMatchObject({ replaces: "a0" });
  expect(sent[1]?.messages.map(({ id }) => id)).toEqual(["q1"]);
  expect(thread(session)).toEqual([
    ["user", "£45k"],
    ["assistant", "£34,023.98"],
  ]);
});

test("stopping asks the service to end the answer, and keeps and marks the part received", async () => {
  let end = () => {};
  answer = async () => held([...words], (close) => (end = close));
  other = async (path, init) => {
    expect([path, JSON.parse(String(init.body))]).toEqual([
      "/chat/stop",
      { conversation_id: "c1", message_id: sent[0]?.messages[0]?.id },
    ]);
    end();
    return Response.json({ stopped: true });
  };
  const session = open([]);
  session.draft().set({ text: "£45k" });
  const asking = session.ask();
  await vi.waitFor(() => expect(session.messages.get().at(-1)?.role).toBe("assistant"));
  await vi.waitFor(() => expect(textOf(session.messages.get()[1] as ChatMessage)).toBe("£34,023.98"));
  session.stop();
  await asking;
  expect(session.messages.get()[1]?.metadata).toMatchObject({ incomplete: "stopped" });
  expect(session.state.get()).toMatchObject({ phase: "idle", failure: null });
  expect(outcomes).toEqual(["stopped"]);
});

test("a stop is repeated until the service confirms it, and reading ends after two seconds", async () => {
  answer = async (init) => stream(words, false, init.signal);
  let asked = 0;
  other = async () => {
    asked += 1;
    return Response.json({ stopped: asked === 3 });
  };
  const session = open([]);
  session.draft().set({ text: "£45k" });
  const asking = session.ask();
  await vi.waitFor(() => expect(session.messages.get().at(-1)?.role).toBe("assistant"));
  session.stop();
  session.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await asking;
  expect(asked).toBe(3);
  expect(session.messages.get()[1]?.metadata).toMatchObject({ incomplete: "stopped" });
});

test("stopping before the service responds puts the question back", async () => {
  let end = (_: Response) => {};
  answer = () => new Promise((resolve) => (end = resolve));
  other = async () => {
    end(problem(499, { error: "client_closed_request" }));
    return Response.json({ stopped: true });
  };
  const session = open([]);
  session.draft().set({ text: "£45k" });
  const asking = session.ask();
  await vi.advanceTimersByTimeAsync(400);
  session.stop();
  await asking;
  expect(thread(session)).toEqual([]);
  expect(session.draft().get().text).toBe("£45k");
  expect(session.state.get()).toMatchObject({ phase: "idle", failure: null });
});

test("a broken answer is kept, and a retry replaces it", async () => {
  answer = async () => stream([...words, { type: "error", errorText: "The model failed." }]);
  const session = open([]);
  session.draft().set({ text: "£45k" });
  await session.ask();
  expect(failures).toEqual(["broken-off"]);
  expect(session.messages.get()[1]?.metadata).toMatchObject({ incomplete: "failed" });
  answer = async () => stream(whole);
  await session.resend();
  expect(sent[1]).toMatchObject({ replaces: "a1" });
});

test("if the model fails before its first word, the stored question stays in the thread and can be retried", async () => {
  answer = async () => problem(502, { detail: "The model is busy." }, { "x-conversation-id": "c1" });
  const session = open();
  session.draft().set({ text: "£45k" });
  await session.ask();
  expect(failures).toEqual(["model"]);
  expect(session.state.get().conversationId).toBe("c1");
  expect(thread(session)).toEqual([["user", "£45k"]]);
  expect(session.draft().get().text).toBe("");
  answer = async () => stream(whole);
  await session.resend();
  expect(sent[1]).toMatchObject({ conversation_id: "c1" });
  expect(sent[1]?.messages[0]?.id).toBe(sent[0]?.messages[0]?.id);
  expect(thread(session)).toHaveLength(2);
});

test("a question is not sent while another is in progress, and blank text is not sent", async () => {
  answer = async () => stream(whole);
  const session = open();
  session.draft().set({ text: "  " });
  await session.ask();
  expect(sent).toHaveLength(0);
  session.draft().set({ text: "£45k" });
  await Promise.all([session.ask(), session.ask()]);
  expect(sent).toHaveLength(1);
});

test("an example is in the composer if it is refused", async () => {
  answer = async () => refused();
  const session = open();
  await session.ask("Compare £50,000 and £60,000");
  expect(session.draft().get().text).toBe("Compare £50,000 and £60,000");
});

test("a session that is closed while it sends a question stores nothing afterwards", async () => {
  answer = (init) =>
    new Promise((_, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    });
  const session = open();
  session.draft().set({ text: "a private thought" });
  const asking = session.ask();
  await vi.advanceTimersByTimeAsync(400);
  session.close();
  // Signing out forgets the drafts.
  forgetDrafts();
  await asking;
  expect(Object.entries(localStorage)).toEqual([]);
  expect(failures).toEqual([]);
});

describe("a connection that is lost in the middle of an answer", () => {
  async function askAndLose(): Promise<ChatSession> {
    answer = async () => stream(words);
    const session = open([]);
    session.draft().set({ text: "£45k" });
    const asking = session.ask();
    await vi.advanceTimersByTimeAsync(60_000);
    await asking;
    return session;
  }

  test("is opened again, and the answer is read from its beginning", async () => {
    let tries = 0;
    other = async (path) => {
      expect(path).toBe("/chat/stream/c1");
      tries += 1;
      if (tries < 3) throw new TypeError("Failed to fetch");
      return stream(whole);
    };
    const session = await askAndLose();
    expect(tries).toBe(3);
    expect(thread(session)).toEqual([
      ["user", "£45k"],
      ["assistant", "£34,023.98"],
    ]);
    expect(outcomes).toEqual(["whole"]);
  });

  test("is tried again for most of a minute", async () => {
    let tries = 0;
    other = async () => {
      tries += 1;
      if (tries < 9) throw new TypeError("Failed to fetch");
      return stream(whole);
    };
    const session = await askAndLose();
    expect(thread(session).at(-1)).toEqual(["assistant", "£34,023.98"]);
    expect(failures).toEqual([]);
  });

  test("is not opened again if the answer has been saved", async () => {
    other = async (path) => {
      if (path === "/chat/stream/c1") return new Response(null, { status: 204 });
      const question = { ...message(String(sent[0]?.messages[0]?.id), "user", "£45k") };
      return Response.json({ id: "c1", messages: [question, message("a1", "assistant", "£34,023.98")] });
    };
    const session = await askAndLose();
    expect(thread(session).at(-1)).toEqual(["assistant", "£34,023.98"]);
    expect(outcomes).toEqual(["whole"]);
  });

  test("that cannot be restored leaves the answer cut off", async () => {
    const session = await askAndLose();
    expect(failures).toEqual(["broken-off"]);
    expect(session.messages.get()[1]?.metadata).toMatchObject({ incomplete: "failed" });
  });
});

describe("a conversation that is opened while its question is being answered", () => {
  test("shows the answer as it arrives", async () => {
    other = async () => stream(whole);
    const session = open([message("q1", "user", "£45k")]);
    await session.resume();
    expect(thread(session).at(-1)).toEqual(["assistant", "£34,023.98"]);
    expect([session.state.get().phase, outcomes]).toEqual(["idle", ["whole"]]);
  });

  test("offers to answer the question if no answer is in progress", async () => {
    other = async (path) =>
      path === "/chat/stream/c1"
        ? new Response(null, { status: 204 })
        : Response.json({ id: "c1", messages: [message("q1", "user", "£45k")] });
    const session = open([message("q1", "user", "£45k")]);
    await session.resume();
    expect(thread(session)).toEqual([["user", "£45k"]]);
    expect(session.state.get()).toMatchObject({ phase: "idle", failure: null });
  });
});

test("an answer ends the refusal", async () => {
  answer = async () => refused();
  const session = open();
  session.draft().set({ text: "one too many" });
  await session.ask();
  expect(client.refusal()).toBeDefined();
  answer = async () => stream(whole);
  await session.resend();
  expect(client.refusal()).toBeUndefined();
});
