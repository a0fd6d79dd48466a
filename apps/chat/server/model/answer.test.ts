import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChatMessage } from "../../contract.ts";
import { type OpenAiServer, type OpenAiServerMode, startOpenAiServer } from "../../testing/openai-server.ts";
import {
  type Answer,
  type AnswerOptions,
  answer,
  estimatePrompt,
  instructionsAt,
  modelMessages,
} from "./answer.ts";
import { modelFailure } from "./failure.ts";
import { firstToken } from "./first-token.ts";
import { chooseModels, type ModelChoice } from "./provider.ts";

const clock = { now: () => Date.parse("2026-11-24T08:00:00Z") };
const said = (text: string, id = "1"): ChatMessage => ({ id, role: "user", parts: [{ type: "text", text }] });

let server: OpenAiServer;
let choices: Record<"own" | "openai", ModelChoice>;

beforeAll(async () => {
  server = await startOpenAiServer();
  const builtIn = { clock };
  choices = {
    own: chooseModels({ LLM_BASE_URL: server.url, LLM_MODEL: "llama3.2", LLM_API_KEY: "key-1" }, builtIn)[0],
    openai: chooseModels(
      { OPENAI_API_KEY: "key-2", OPENAI_BASE_URL: server.url, OPENAI_MODEL: "gpt-4.1-mini" },
      builtIn,
    )[0],
  };
});
afterAll(() => server.close());
beforeEach(() => {
  server.setMode("normal");
  server.requests.length = 0;
});

async function begin(
  mode: OpenAiServerMode,
  options: Partial<Pick<AnswerOptions, "choice" | "abortSignal" | "limits" | "startTimer">> & {
    released?: number;
  } = {},
) {
  server.setMode(mode);
  const { choice = choices.own, limits, released = 0, ...rest } = options;
  server.release(released);
  const messages = await modelMessages([said("take-home on £45k in Scotland with plan 2")]);
  const given = answer({ choice, messages, clock, limits: { retries: 0, ...limits }, ...rest });
  return { given, opening: await firstToken(given.stream, { abortSignal: rest.abortSignal }) };
}

async function readAll(stream: Awaited<ReturnType<typeof firstToken>>["stream"] | Answer["stream"]) {
  const types: string[] = [];
  let text = "";
  let error: unknown;
  for await (const part of stream as AsyncIterable<{ type: string; text?: string; error?: unknown }>) {
    types.push(part.type);
    if (part.type === "text-delta") text += part.text;
    if (part.type === "error") error = part.error;
  }
  return { types, text, error };
}

describe.each(["own", "openai"] as const)("a real model over HTTP: %s", (which) => {
  it("streams its answer, with usage", async () => {
    const { given, opening } = await begin("normal", { choice: choices[which] });
    expect(opening.known).toEqual({ kind: "started" });
    const { text, types } = await readAll(opening.stream);
    expect(text).toMatch(/^On £45,000 you take home about/);
    expect(types.at(-1)).toBe("finish");
    const usage = await given.usage;
    expect(usage.inputTokens).toBeGreaterThan(100);
    expect(usage.outputTokens).toBeGreaterThan(10);
  });

  it("gets the instructions, the tools and the key", async () => {
    const { opening } = await begin("normal", { choice: choices[which] });
    await readAll(opening.stream);
    const [request] = server.requests;
    expect(request?.headers.authorization).toBe(which === "own" ? "Bearer key-1" : "Bearer key-2");
    expect(request?.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(request?.body.tools).toHaveLength(6);
    expect(JSON.stringify(request?.body.messages?.[0])).toContain("only source of numbers");
  });

  it("calls a tool and continues with its result", async () => {
    const { given, opening } = await begin("tool-call", { choice: choices[which] });
    expect(opening.known).toEqual({ kind: "started" });
    const { types, text } = await readAll(opening.stream);
    expect(types).toContain("tool-result");
    expect(text).toMatch(/^On £45,000/);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.body.messages?.at(-1)).toMatchObject({ role: "tool" });
    expect(JSON.stringify(server.requests[1]?.body.messages?.at(-1))).toContain("34118.2");
    expect((await given.steps)[0]?.toolResults[0]?.output).toMatchObject({ takeHome: 34_118.2 });
  });

  it.each<[OpenAiServerMode, number, string]>([
    ["fail-500", 503, "model_overloaded"],
    ["fail-429", 503, "model_rate_limited"],
    ["fail-401", 502, "model_key_refused"],
    ["fail-404", 502, "model_not_found"],
    ["fail-too-long", 502, "conversation_too_long"],
    ["hang-up", 502, "model_unreachable"],
    // Reported in the stream, in which the two providers keep different parts of the error.
    ["error-first", expect.any(Number), expect.stringMatching(/^model_(failed|overloaded)$/)],
    ["empty", 502, "model_failed"],
  ])("that fails before its first token (%s) has a status", async (mode, status, code) => {
    const { opening } = await begin(mode, { choice: choices[which] });
    if (opening.known?.kind !== "failed") throw new Error(`not failed: ${JSON.stringify(opening.known)}`);
    const failure = modelFailure(opening.known.error);
    expect(failure).toMatchObject({ status, code });
    expect(failure.detail).not.toMatch(/sk-|https?:|org-/);
  });

  it.each<OpenAiServerMode>(["error-midway", "hang-up-midway"])(
    "that fails later (%s) keeps its text",
    async (mode) => {
      const { given, opening } = await begin(mode, { choice: choices[which] });
      expect(opening.known).toEqual({ kind: "started" });
      const { text, error } = await readAll(opening.stream);
      expect(text.trim().split(" ")).toHaveLength(3);
      expect(modelFailure(error).detail).not.toMatch(/sk-|https?:/);
      expect(error).toBeDefined();
      expect(await given.finishReason).toBe("error");
    },
  );
});

describe("time limits", () => {
  /** Timers that a test fires by hand. */
  function handTimers() {
    const running: { ms: number; fire: () => void }[] = [];
    const startTimer = (ms: number, fire: () => void) => {
      const timer = { ms, fire };
      running.push(timer);
      return () => {
        const at = running.indexOf(timer);
        if (at >= 0) running.splice(at, 1);
      };
    };
    return { running, startTimer };
  }

  it("gives up on a model that accepts the request and never answers", async () => {
    const { running, startTimer } = handTimers();
    const opened = begin("never", { startTimer, limits: { firstTokenMs: 7 } });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    running.find(({ ms }) => ms === 7)?.fire();
    const { opening } = await opened;
    if (opening.known?.kind !== "failed") throw new Error("not failed");
    expect(modelFailure(opening.known.error)).toMatchObject({ status: 504, code: "model_timed_out" });
    await vi.waitFor(() => expect(server.requests[0]?.aborted).toBe(true));
  });

  it.each([
    ["falls silent", 8],
    ["takes too long in total", 9],
  ])("gives up on a model that %s", async (_, limit) => {
    const { running, startTimer } = handTimers();
    const { opening } = await begin("slow", {
      released: 1,
      startTimer,
      limits: { firstTokenMs: 7, silenceMs: 8, totalMs: 9 },
    });
    expect(running.map(({ ms }) => ms).sort()).toEqual([8, 9]);
    running.find(({ ms }) => ms === limit)?.fire();
    const { types, text } = await readAll(opening.stream);
    expect(text).toBe("On");
    expect(types.at(-1)).toBe("abort");
  });

  it.each<OpenAiServerMode>(["normal", "tool-call", "fail-500", "hang-up-midway"])(
    "leaves no timer behind: %s",
    async (mode) => {
      const { running, startTimer } = handTimers();
      const { opening } = await begin(mode, { startTimer });
      await readAll(opening.stream);
      expect(running).toEqual([]);
    },
  );

  it("retries when the provider fails, up to the limit", async () => {
    const again = server.nextRequest().then(() => server.setMode("normal"));
    const { opening } = await begin("fail-500", { limits: { retries: 1 } });
    await again;
    expect(opening.known).toEqual({ kind: "started" });
    expect(server.requests).toHaveLength(2);
  });
});

describe("a stop", () => {
  it("ends the answer at once, keeps the part received, and cancels the request", async () => {
    const stop = new AbortController();
    const { opening } = await begin("slow", { released: 2, abortSignal: stop.signal });
    expect(opening.known).toEqual({ kind: "started" });
    const reader = opening.stream.getReader();
    let text = "";
    const types: string[] = [];
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      types.push(part.value.type);
      if (part.value.type !== "text-delta") continue;
      text += part.value.text;
      if (text === "On £45,000") stop.abort();
    }
    expect(text).toBe("On £45,000");
    expect(types.at(-1)).toBe("abort");
    await vi.waitFor(() => expect(server.requests[0]?.aborted).toBe(true));
  });

  it("before the first token, it is a stop, not a failure", async () => {
    const stop = new AbortController();
    const opened = begin("never", { abortSignal: stop.signal });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    stop.abort();
    expect((await opened).opening.known).toEqual({ kind: "stopped" });
  });
});

describe("the messages for a model", () => {
  it("leave out the tool calls of earlier turns, and calls that a stop interrupted", async () => {
    const messages = await modelMessages([
      said("take home on 45k"),
      {
        id: "2",
        role: "assistant",
        parts: [
          {
            type: "tool-take_home",
            toolCallId: "a",
            state: "output-available",
            input: { salary: 45_000 },
            output: {},
          },
          { type: "text", text: "About £35,920." },
          { type: "tool-take_home", toolCallId: "b", state: "input-available", input: { salary: 60_000 } },
        ] as ChatMessage["parts"],
      },
      { id: "3", role: "assistant", parts: [] },
      said("and in Scotland?", "4"),
    ]);
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(JSON.stringify(messages)).not.toContain("tool-call");
    expect(JSON.stringify(messages)).toContain("About £35,920.");
  });

  it("are the end of a long conversation, from a question on", async () => {
    const long = Array.from({ length: 101 }, (_, at): ChatMessage => {
      const parts: ChatMessage["parts"] = [{ type: "text", text: `message ${at}` }];
      return { id: String(at), role: at % 2 === 0 ? "user" : "assistant", parts };
    });
    const messages = await modelMessages(long);
    expect(messages.length).toBeLessThanOrEqual(40);
    expect(messages[0]?.role).toBe("user");
    expect(JSON.stringify(messages.at(-1))).toContain("message 100");
  });

  it("contain the date and the known years, and whether this year is unknown", () => {
    expect(instructionsAt(clock.now())).toMatch(/Today is 2026-11-24, in tax year 2026\/27\. Use it/);
    expect(instructionsAt(Date.parse("2027-11-24T08:00:00Z"))).toMatch(
      /in tax year 2027\/28\. Its rates are not known: when no year is asked for, use 2026\/27/,
    );
  });

  it("contain no instructions for the built-in responder", async () => {
    const [builtIn] = chooseModels({}, { clock, pace: async () => {} });
    const given = answer({ choice: builtIn, messages: await modelMessages([said("hello")]), clock });
    expect((await given.usage).inputTokens).toBeLessThan(20);
  });
});

describe("the estimate of the first step's input", () => {
  const messages = [{ role: "user" as const, content: "12345678" }];

  it("counts four characters per token", () => {
    expect(estimatePrompt(messages, { builtIn: true })).toBe(2);
  });

  it("includes the instructions and the tools of a real model", () => {
    expect(estimatePrompt(messages, { builtIn: false })).toBe(3_602);
  });
});
