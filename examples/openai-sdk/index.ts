/**
 * A chat endpoint with OpenAI's client, on Express: guarded and metered.
 * `MODEL_URL=http://localhost:11434/v1 MODEL=llama3.2 node index.ts`, then
 * `curl -N localhost:3000/chat?user=ada -H 'Content-Type: application/json' -d '{"messages":[{"role":"user","content":"Hello"}]}'`
 */
import { once } from "node:events";
import express from "express";
import { createLimiter } from "headgate";
import { estimateTokens, meter, openaiChat } from "headgate/ai";
import { admissionOf, rateLimit } from "headgate/express";
import OpenAI from "openai";

const model = process.env.MODEL ?? "llama3.2";
const openai = new OpenAI({
  apiKey: process.env.OPENAI_API_KEY ?? "none",
  baseURL: process.env.MODEL_URL ?? "http://localhost:11434/v1",
});

const limiter = createLimiter<{ user: string }>({
  name: "chat",
  layers: [{ name: "user", key: ({ user }) => user, limits: "5/minute; 20000 tokens/day; 2 concurrent" }],
});

const app = express();
app.use(express.json({ limit: "100kb" }));

const guard = rateLimit(limiter, {
  caller: (request) => ({ user: String(request.query.user ?? "anonymous") }), // replace with the user of a session
  cost: (request) => ({ tokens: estimateTokens(request.body.messages) + 256 }),
});

app.post("/chat", guard, async (request, response) => {
  const admission = admissionOf(request);
  if (!admission?.admitted) return void response.sendStatus(500);
  const metered = meter(admission, { silenceMs: 30_000 });
  try {
    const stream = await openai.chat.completions.create(
      { model, messages: request.body.messages, stream: true, stream_options: { include_usage: true } },
      { signal: metered.signal },
    );
    response.type("text/plain");
    for await (const part of metered.bind(stream, openaiChat)) {
      // Read only as fast as the client does.
      if (!response.write(part.choices[0]?.delta.content ?? ""))
        await once(response, "drain", { signal: metered.signal });
    }
    const { how, charged } = await metered.ended;
    response.end(`\n[${how}: ${JSON.stringify(charged)}]\n`);
  } catch {
    await metered.end("failed"); // nothing was served: the request is refunded
    if (response.headersSent) response.destroy();
    else response.sendStatus(502);
  }
});

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`Listening on http://127.0.0.1:${address?.port}`);
});
