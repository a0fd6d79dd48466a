/**
 * An agent that serves no HTTP requests. Its model waits for the provider's quota. Its tool is limited, and
 * says when it may search again.
 * `MODEL_URL=http://localhost:11434/v1 MODEL=llama3.2 node index.ts "When is high tide?"`
 */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount, tool } from "ai";
import { createLimiter } from "headgate";
import { governedModel, limitedTool } from "headgate/ai";
import { z } from "zod";

const baseURL = process.env.MODEL_URL ?? "http://localhost:11434/v1";
const local = createOpenAICompatible({ name: "local", baseURL })(process.env.MODEL ?? "llama3.2");

const provider = createLimiter<string>({
  name: "provider",
  layers: [{ name: "account", key: (account) => account, limits: "60/minute" }],
});
const searches = createLimiter<string>({
  name: "searches",
  layers: [{ name: "agent", key: (agent) => agent, limits: "1/minute" }],
});

const search = tool({
  description: "Searches the tide tables.",
  inputSchema: z.object({ place: z.string() }),
  execute: async ({ place }) => ({ place, high: "09:14" }),
});

const { text, steps } = await generateText({
  model: governedModel(local, provider, { caller: "our-account", maxWaitMs: 60_000 }),
  prompt: process.argv[2] ?? "When is high tide in Portsmouth, and when in Dover?",
  tools: { search: limitedTool(search, searches, { caller: "agent-7" }) },
  stopWhen: isStepCount(5),
});

for (const { toolResults } of steps)
  for (const { output } of toolResults) console.log(JSON.stringify(output));
console.log(text);
