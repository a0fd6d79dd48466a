import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { exampleFile, startExample } from "@headgate/test-servers/example.ts";
import { type ModelServer, startModelServer } from "@headgate/test-servers/model-server.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let provider: ModelServer;
beforeAll(async () => {
  provider = await startModelServer({
    talks: { pieces: 30 },
    fails: { fails: "status" },
    calls: { tool: "search" },
  });
});
afterAll(() => provider.stop());

const content = "When is high tide?";

/** Runs an example that uses this model. */
async function served(example: string, model: string, use: (origin: string) => Promise<void>): Promise<void> {
  const { origin, stop } = await startExample(example, { MODEL_URL: provider.url, MODEL: model });
  try {
    await use(origin);
  } finally {
    await stop();
  }
}

function ask(origin: string, messages: unknown): Promise<Response> {
  return fetch(`${origin}/chat?user=ada`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages }),
  });
}

const pageMessages = [{ id: "1", role: "user", parts: [{ type: "text", text: content }] }];
const modelMessages = [{ role: "user", content }];

describe("the examples", () => {
  it("ai-sdk reports the cost and what remains, and refuses the sixth request", async () => {
    await served("ai-sdk", "talks", async (origin) => {
      const response = await ask(origin, pageMessages);
      expect(response.status).toBe(200);
      const text = await response.text();
      expect(text.match(/tide /g)?.length).toBe(30);
      expect(text).toContain('"used":{"input":40,"cacheRead":0,"cacheWrite":0,"output":30,"reasoning":0}');
      expect(text).toContain(
        '"name":"user-tokens-per-day","quota":20000,"unit":"tokens","windowSeconds":86400,"remaining":19930',
      );
      for (let n = 0; n < 4; n += 1) await (await ask(origin, pageMessages)).text();
      expect((await ask(origin, pageMessages)).status).toBe(429);
    });
  });

  it("openai-sdk reports the cost of its answer", async () => {
    await served("openai-sdk", "talks", async (origin) => {
      const text = await (await ask(origin, modelMessages)).text();
      expect(text).toMatch(/^(tide ){30}\n\[finished: \{"tokens":70\}\]\n$/);
    });
  });

  it.each([
    ["openai-sdk", modelMessages],
    ["ai-sdk", pageMessages],
  ])("%s refunds a request whose model failed", async (example, messages) => {
    await served(example, "fails", async (origin) => {
      // The clients retry only after some seconds, so send requests in parallel.
      for (const atOnce of [2, 2, 2]) {
        const responses = await Promise.all(Array.from({ length: atOnce }, () => ask(origin, messages)));
        await Promise.all(responses.map((response) => response.text()));
        expect(responses.map(({ status }) => status)).not.toContain(429);
      }
    });
  });

  it("agent-tools waits for its provider, and answers", async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=headgate-source", "--no-warnings", exampleFile("agent-tools/index.ts")],
      { env: { ...process.env, MODEL_URL: provider.url, MODEL: "calls" }, timeout: 50_000 },
    );
    expect(stdout).toBe(
      '{"place":"Dover","high":"09:14"}\n' +
        '{"error":"rate_limited","message":"This tool is rate limited. It may be used again in 60 seconds.","retryAfterSeconds":60}\n' +
        "The tide is high.\n",
    );
  });
});
