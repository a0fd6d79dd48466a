import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a scripted provider does for one model. */
export interface ModelScript {
  /** How many pieces the answer has, one token each; 20 by default. */
  readonly pieces?: number;
  /** The reported usage. Default: 40 tokens of input, and a token of output for each piece. `absent` reports none. */
  readonly usage?: "absent" | { readonly input: number; readonly output: number; readonly cached?: number };
  /**
   * How it fails. `status`: with an error status. `first`, `midway`: with an error in the stream. `socket`: by closing
   * the connection midway.
   */
  readonly fails?: "status" | "first" | "midway" | "socket";
  /** Stops sending: without a head, from the beginning, or midway. */
  readonly hangs?: "head" | "first" | "midway";
  /** In answers without a stream, calls this tool twice before it answers. */
  readonly tool?: string;
  /** The status, headers and body of `status`: 500 by default. */
  readonly refusal?: {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body: unknown;
  };
}

/** A provider with the API of OpenAI's chat completions, over HTTP on the loopback address. */
export interface ModelServer {
  /** Such as `http://127.0.0.1:49152/v1`. */
  readonly url: string;
  /** The number of requests. */
  requests(): number;
  /** The number of requests whose client disconnected before the end. */
  cut(): number;
  stop(): Promise<void>;
}

/** @param scripts by the name of the model */
export async function startModelServer(scripts: Readonly<Record<string, ModelScript>>): Promise<ModelServer> {
  let requests = 0;
  let cut = 0;
  const server = createServer(async (request, response) => {
    requests += 1;
    response.on("close", () => {
      if (!response.writableFinished) cut += 1;
    });
    const asked = JSON.parse(await textOf(request)) as Asked;
    const script = scripts[asked.model] ?? {};
    if (script.tool !== undefined) return answerWhole(script.tool, asked, response);
    await answer(script, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests: () => requests,
    cut: () => cut,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Asked {
  readonly model: string;
  readonly messages: readonly { readonly role: string }[];
}

function answerWhole(name: string, { messages }: Asked, response: ServerResponse): void {
  const calls = messages.filter(({ role }) => role === "tool").length;
  const call = { id: `call-${calls}`, type: "function", function: { name, arguments: '{"place":"Dover"}' } };
  const message =
    calls < 2
      ? { role: "assistant", content: null, tool_calls: [call] }
      : { role: "assistant", content: "The tide is high." };
  const choice = { index: 0, message, finish_reason: calls < 2 ? "tool_calls" : "stop" };
  const usage = { prompt_tokens: 40, completion_tokens: 5, total_tokens: 45 };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(
    JSON.stringify({
      id: "c1",
      object: "chat.completion",
      created: 1,
      model: "scripted",
      choices: [choice],
      usage,
    }),
  );
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += piece;
  return text;
}

const failure = { error: { message: "The model failed.", type: "server_error", code: "failed" } };

async function answer(script: ModelScript, response: ServerResponse): Promise<void> {
  const { pieces = 20, fails, hangs, refusal = { status: 500, body: failure } } = script;
  if (fails === "status") {
    response.writeHead(refusal.status, { "content-type": "application/json", ...refusal.headers });
    response.end(JSON.stringify(refusal.body));
    return;
  }
  if (hangs === "head") return;
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  const send = async (event: unknown) => {
    if (!response.write(`data: ${JSON.stringify(event)}\n\n`))
      await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
  };
  const chunk = (delta: object, finish: string | null = null, usage?: object) => ({
    id: "c1",
    object: "chat.completion.chunk",
    created: 1,
    model: "scripted",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...(usage === undefined ? {} : { usage }),
  });
  if (hangs === "first") return;
  if (fails === "first") return void response.end(`data: ${JSON.stringify(failure)}\n\ndata: [DONE]\n\n`);
  const half = Math.ceil(pieces / 2);
  for (let n = 0; n < pieces && !response.destroyed; n += 1) {
    if (n === half && hangs === "midway") return;
    if (n === half && fails === "socket") return void response.destroy();
    if (n === half && fails === "midway")
      return void response.end(`data: ${JSON.stringify(failure)}\n\ndata: [DONE]\n\n`);
    await send(chunk({ content: "tide " }));
    // Give the reader's other work a turn, as a real model would.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await send(chunk({}, "stop"));
  const usage = usageOf(script, pieces);
  if (usage !== undefined) await send({ ...chunk({}), choices: [], usage });
  response.end("data: [DONE]\n\n");
}

function usageOf({ usage }: ModelScript, pieces: number): object | undefined {
  if (usage === "absent") return undefined;
  const { input, output, cached = 0 } = usage ?? { input: 40, output: pieces, cached: 0 };
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
  };
}
