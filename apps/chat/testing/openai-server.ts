/**
 * A fake model provider for tests. It speaks OpenAI's chat-completions protocol over real HTTP on the loopback address,
 * and fails in every way that a provider can. It uses no clock: tests release slow answers by hand.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type OpenAiServerMode =
  /** Answers at once, in several chunks. */
  | "normal"
  /**
   * Sends the head, then one chunk for each `release()`. The first `release()` sends the whole of an answer without
   * streaming.
   */
  | "slow"
  /** Calls `take_home`, and answers in text once it has the result. */
  | "tool-call"
  /** 500, 429, 401, 404 or a 400 for too long a prompt, before anything else. */
  | "fail-500"
  | "fail-429"
  | "fail-401"
  | "fail-404"
  | "fail-too-long"
  /** 429 with a wait of 7 seconds. */
  | "asks-to-wait"
  /** 200, and an error chunk instead of the first token. */
  | "error-first"
  /** Some tokens, then an error chunk. */
  | "error-midway"
  /** Some tokens, then the socket is destroyed. */
  | "hang-up-midway"
  /** The socket is destroyed before the head is sent. */
  | "hang-up"
  /** Reads the request and sends nothing, not even a head. */
  | "never"
  /** 200, and an end without a token. */
  | "empty";

export interface RecordedRequest {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  /** The parsed JSON body. */
  body: ChatRequest;
  /** Whether the client disconnected before the end of the answer. */
  aborted: boolean;
  /** The true usage of an answer that was streamed to its end, whatever usage was reported. */
  counted?: { prompt_tokens: number; completion_tokens: number };
}

interface ChatRequest {
  model?: string;
  stream?: boolean;
  messages?: { role: string; content?: unknown; tool_calls?: unknown }[];
  tools?: unknown[];
  [other: string]: unknown;
}

export interface OpenAiServer {
  /** The value for `LLM_BASE_URL` or `OPENAI_BASE_URL`, which ends in `/v1`. */
  url: string;
  /** Every request so far, oldest first. */
  requests: RecordedRequest[];
  /** Sets the mode. Cuts off answers that are held back, and discards unused releases. */
  setMode(mode: OpenAiServerMode): void;
  /** Sets the text of answers. Each word is a chunk. */
  setText(text: string): void;
  /** Sets the reported usage: `null` for none, `undefined` for the server's own count. */
  setUsage(usage: Record<string, unknown> | null | undefined): void;
  /** Releases chunks of slow answers: 1 by default, `Infinity` for all further chunks. */
  release(chunks?: number): void;
  /** Resolves once the next request has been read. */
  nextRequest(): Promise<RecordedRequest>;
  close(): Promise<void>;
}

export interface OpenAiServerOptions {
  mode?: OpenAiServerMode;
  text?: string;
}

const defaultText = "On £45,000 you take home about three quarters of it, the rest goes in deductions.";

/** Counts one token per four characters, like the built-in responder. */
const tokensOf = (text: string) => Math.ceil(text.length / 4);

/** The current mode and its settings. */
interface Script {
  mode: OpenAiServerMode;
  text: string;
  usage: Record<string, unknown> | null | undefined;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startOpenAiServer(options: OpenAiServerOptions = {}): Promise<OpenAiServer> {
  const { mode = "normal", text = defaultText } = options;
  const script: Script = { mode, text, usage: undefined };
  const gates = createGates();
  const watchers: ((request: RecordedRequest) => void)[] = [];
  const requests: RecordedRequest[] = [];

  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request);
    const recorded: RecordedRequest = {
      path: request.url ?? "",
      headers: request.headers,
      body,
      aborted: false,
    };
    response.on("close", () => {
      if (!response.writableEnded) recorded.aborted = true;
      gates.leave(response);
    });
    requests.push(recorded);
    for (const watch of watchers.splice(0)) watch(recorded);
    if (request.method !== "POST" || !recorded.path.endsWith("/chat/completions")) {
      return sendError(response, 404, "not_found", `No such path: ${recorded.path}`);
    }
    await answer(request, response, recorded, { ...script }, gates);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    setMode(next) {
      script.mode = next;
      gates.cut();
    },
    setText(next) {
      script.text = next;
    },
    setUsage(next) {
      script.usage = next;
    },
    release: gates.release,
    nextRequest: () => new Promise((resolve) => watchers.push(resolve)),
    close() {
      gates.openAll();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** Slow answers wait here until a test releases their next chunk. */
interface Gates {
  pass(response: ServerResponse): Promise<void>;
  /** A release counts for an answer that still has a listener. */
  leave(response: ServerResponse): void;
  release(chunks?: number): void;
  /** Destroys held-back answers, and discards unused releases. */
  cut(): void;
  openAll(): void;
}

function createGates(): Gates {
  let credit = 0;
  const waiting: { response: ServerResponse; open: () => void }[] = [];
  return {
    pass: (response) =>
      new Promise((open) => {
        if (credit > 0) {
          credit -= 1;
          open();
        } else {
          waiting.push({ response, open });
        }
      }),
    leave(response) {
      for (const gate of waiting.filter((one) => one.response === response)) {
        waiting.splice(waiting.indexOf(gate), 1);
        gate.open();
      }
    },
    release(chunks = 1) {
      credit += chunks;
      while (credit > 0 && waiting.length > 0) {
        credit -= 1;
        waiting.shift()?.open();
      }
    },
    cut() {
      credit = 0;
      for (const { response, open } of waiting.splice(0)) {
        response.destroy();
        open();
      }
    },
    openAll() {
      for (const { open } of waiting.splice(0)) open();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  recorded: RecordedRequest,
  script: Script,
  gates: Gates,
): Promise<void> {
  const { mode } = script;
  const { body } = recorded;
  if (mode === "never") return;
  if (mode === "hang-up") return void request.socket.destroy();
  if (mode === "asks-to-wait") response.setHeader("retry-after", "7");
  const refusal = refusals[mode];
  if (refusal) return sendError(response, ...refusal);
  if (body.stream === true) return stream(response, recorded, script, gates);
  if (mode === "slow") await gates.pass(response);
  sendWhole(response, body, script);
}

async function stream(
  response: ServerResponse,
  recorded: RecordedRequest,
  script: Script,
  gates: Gates,
): Promise<void> {
  const { mode, text } = script;
  const { body } = recorded;
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  const write = (value: unknown) => response.write(`data: ${JSON.stringify(value)}\n\n`);
  const done = () => void response.end("data: [DONE]\n\n");
  const chunk = (delta: object, finish: string | null = null) =>
    write(envelope(body, "chat.completion.chunk", { delta }, finish));
  const end = (finish: string, written: string) => {
    chunk({}, finish);
    recorded.counted = usage(body, written);
    const said = script.usage === undefined ? recorded.counted : script.usage;
    write({ ...envelope(body, "chat.completion.chunk"), choices: [], usage: said });
    done();
  };
  if (mode === "error-first") {
    write(serverError);
    return done();
  }
  chunk({ role: "assistant", content: "" });
  if (mode === "empty") return end("stop", "");
  if (asksForTool(mode, body)) {
    const call = toolCall();
    chunk({ tool_calls: [{ index: 0, ...call, function: { name: call.function.name, arguments: "" } }] });
    for (const piece of call.function.arguments.match(/.{1,12}/g) ?? []) {
      chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
    }
    return end("tool_calls", call.function.arguments);
  }
  const words = text.match(/\s*\S+/g) ?? [];
  for (const [at, content] of words.entries()) {
    if (mode === "slow") await gates.pass(response);
    if (response.destroyed) return;
    chunk({ content });
    if (at !== 2) continue;
    if (mode === "error-midway") {
      write(serverError);
      return done();
    }
    // Wait until the write has left; otherwise the client would not see the words before the end.
    if (mode === "hang-up-midway") return void response.write("\n", () => response.socket?.destroy());
  }
  end("stop", text);
}

function sendWhole(response: ServerResponse, body: ChatRequest, { mode, text, usage: stated }: Script): void {
  if (mode === "error-first" || mode === "error-midway" || mode === "hang-up-midway") {
    return void response.socket?.destroy();
  }
  const asks = asksForTool(mode, body);
  const content = mode === "empty" ? "" : text;
  const message = asks
    ? { role: "assistant", content: null, tool_calls: [toolCall()] }
    : { role: "assistant", content };
  const whole = envelope(body, "chat.completion", { message }, asks ? "tool_calls" : "stop");
  send(response, 200, {
    ...whole,
    usage: stated === undefined ? usage(body, asks ? "" : content) : stated,
  });
}

function asksForTool(mode: OpenAiServerMode, body: ChatRequest): boolean {
  return mode === "tool-call" && !hasToolResult(body);
}

const refusals: Partial<Record<OpenAiServerMode, [status: number, code: string, message: string]>> = {
  "fail-500": [
    500,
    "server_error",
    "The server had an error. Key sk-secret-123 at https://internal.example.",
  ],
  "fail-429": [429, "rate_limit_exceeded", "Rate limit reached for organization org-secret."],
  "asks-to-wait": [429, "rate_limit_exceeded", "Rate limit reached for organization org-secret."],
  "fail-401": [401, "invalid_api_key", "Incorrect API key provided: sk-secret-123."],
  "fail-404": [404, "model_not_found", "The model does not exist."],
  "fail-too-long": [400, "context_length_exceeded", "This model's maximum context length is 8192 tokens."],
};

async function readJson(request: IncomingMessage): Promise<ChatRequest> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString("utf8");
  return text === "" ? {} : (JSON.parse(text) as ChatRequest);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  // Let clients retry at once, unless the mode asks them to wait.
  const wait = response.hasHeader("retry-after") ? {} : { "retry-after-ms": "1" };
  response.writeHead(status, { "content-type": "application/json", ...wait }).end(JSON.stringify(body));
}

function errorBody(code: string, message: string) {
  return { error: { message, type: code, code, param: null } };
}

const serverError = errorBody(
  "server_error",
  "The server had an error. Key sk-secret-123 at https://internal.example.",
);

function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, errorBody(code, message));
}

function envelope(body: ChatRequest, object: string, choice: object = {}, finish: string | null = null) {
  return {
    id: "chatcmpl-test",
    object,
    created: 1_790_000_000,
    model: body.model ?? "test-model",
    choices: [{ index: 0, ...choice, finish_reason: finish }],
  };
}

function usage(body: ChatRequest, written: string) {
  const prompt = tokensOf(JSON.stringify(body.messages ?? []));
  const completion = tokensOf(written);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function hasToolResult(body: ChatRequest): boolean {
  return body.messages?.at(-1)?.role === "tool";
}

function toolCall() {
  const input = { salary: 45_000, nation: "Scotland", taxYear: "2026/27", studentLoanPlans: [2] };
  return {
    id: "call_test",
    type: "function",
    function: { name: "take_home", arguments: JSON.stringify(input) },
  };
}
