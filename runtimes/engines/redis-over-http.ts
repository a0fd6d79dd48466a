import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";

/** A small HTTP server in front of a real Redis, with the API of Upstash: one command per request, or a pipeline. */
export interface RedisOverHttp {
  readonly url: string;
  /** The number of commands so far. */
  readonly commands: () => number;
  /** Stops answering until `thaw`. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

type Answer = { result: unknown } | { error: string };

export async function startRedisOverHttp(redisUrl: string, token: string): Promise<RedisOverHttp> {
  const redis = new Redis(redisUrl);
  let commands = 0;
  let thawed: Promise<void> = Promise.resolve();
  let thaw = () => {};

  async function run([command = "", ...words]: string[]): Promise<Answer> {
    commands += 1;
    try {
      return { result: await redis.call(command, ...words) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  const server: Server = createServer((request, response) => {
    // The client may have disconnected.
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await thawed;
    const encoded = request.headers["upstash-encoding"] === "base64";
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${token}`) return send(401, { error: "Unauthorized" });
    const body = JSON.parse(await textOf(request));
    if (request.url === "/pipeline") {
      const answers: Answer[] = [];
      for (const words of body) answers.push(await run(words.map(String)));
      return send(
        200,
        answers.map((one) => withEncoding(one, encoded)),
      );
    }
    const result = await run(body.map(String));
    send("error" in result ? 400 : 200, withEncoding(result, encoded));
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    commands: () => commands,
    freeze() {
      thawed = new Promise((resolve) => {
        thaw = resolve;
      });
    },
    thaw: () => thaw(),
    async close() {
      thaw();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      redis.disconnect();
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  request.setEncoding("utf8");
  for await (const piece of request) text += piece;
  return text;
}

function withEncoding(answer: Answer, encoded: boolean): Answer {
  return "error" in answer || !encoded ? answer : { result: encode(answer.result) };
}

function encode(value: unknown): unknown {
  if (typeof value === "string") return Buffer.from(value).toString("base64");
  return Array.isArray(value) ? value.map(encode) : value;
}
