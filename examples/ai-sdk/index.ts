/**
 * A chat endpoint with the AI SDK, on Hono: guarded, metered, and ended with its response.
 * `MODEL_URL=http://localhost:11434/v1 MODEL=llama3.2 node index.ts`, then
 * `curl -N localhost:3000/chat?user=ada -d '{"messages":[{"id":"1","role":"user","parts":[{"type":"text","text":"Hello"}]}]}'`
 */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { serve } from "@hono/node-server";
import { convertToModelMessages, streamText, type UIMessage } from "ai";
import { createLimiter } from "headgate";
import { estimateTokens, meter } from "headgate/ai";
import { rateLimit } from "headgate/hono";
import { Hono } from "hono";

const baseURL = process.env.MODEL_URL ?? "http://localhost:11434/v1";
const model = createOpenAICompatible({ name: "local", baseURL, includeUsage: true })(
  process.env.MODEL ?? "llama3.2",
);

const limiter = createLimiter<{ user: string }>({
  name: "chat",
  layers: [{ name: "user", key: ({ user }) => user, limits: "5/minute; 20000 tokens/day; 2 concurrent" }],
});

const app = new Hono();

const guard = rateLimit(limiter, {
  caller: (c) => ({ user: c.req.query("user") ?? "anonymous" }), // replace with the user of a session
  cost: async (c) => ({ tokens: estimateTokens((await c.req.json()).messages) + 256 }),
});

app.post("/chat", guard, async (c) => {
  const admission = c.get("admission");
  if (!admission?.admitted) return c.text("not guarded", 500);
  const { messages } = await c.req.json<{ messages: UIMessage[] }>();
  const metered = meter(admission, { silenceMs: 30_000 });
  const result = streamText({
    model: metered.model(model),
    messages: await convertToModelMessages(messages),
  });
  return metered.bind(result.toUIMessageStreamResponse({ messageMetadata: metered.messageMetadata }));
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" }, ({ port }) =>
  console.log(`Listening on http://127.0.0.1:${port}`),
);
