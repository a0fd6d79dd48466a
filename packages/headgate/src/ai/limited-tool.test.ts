import { scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { isStepCount, streamText, type ToolExecutionOptions, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { type LimitedToolOptions, limitedTool } from "./limited-tool.ts";

const inputSchema = z.object({ place: z.string() });
const tide = tool({ inputSchema, execute: async ({ place }) => ({ place, high: "09:14" }) });

function limited(limits: string) {
  const clock = fakeClock();
  const layers = [{ name: "user", key: (user: string) => user, limits }];
  const limiter = createLimiter<string>({ name: "tools", layers, clock });
  const left = async () => (await limiter.peek("ada", { cost: {} })).limits.map(({ remaining }) => remaining);
  return { clock, limiter, left };
}

const context = {
  toolCallId: "1",
  messages: [],
  context: undefined,
} as unknown as ToolExecutionOptions<never>;
type Execute = (input: object, context: ToolExecutionOptions<never>) => unknown;
const run = (one: { execute?: unknown }, place = "Dover") => (one.execute as Execute)({ place }, context);

describe("a limited tool", () => {
  it("returns to the model when it may be used again, and the model continues", async () => {
    const { limiter } = limited("1/minute");
    const calls = { name: "tide", input: '{"place":"Dover"}' };
    const model = scriptedModel({ calls }, { calls }, { says: ["Done."] });
    const { text, steps } = await generateStreamed(model, {
      tide: limitedTool(tide, limiter, { caller: "ada" }),
    });
    expect(text).toBe("Done.");
    expect(steps).toEqual([
      { place: "Dover", high: "09:14" },
      {
        error: "rate_limited",
        message: "This tool is rate limited. It may be used again in 60 seconds.",
        retryAfterSeconds: 60,
      },
    ]);
    expect(JSON.stringify(model.calls[2]?.prompt)).toContain("It may be used again in 60 seconds.");
  });

  it("charges the computed cost to the computed caller", async () => {
    const { limiter, left } = limited("9/minute; 100 pages/day");
    const options: LimitedToolOptions<string> = {
      caller: () => "ada",
      cost: (input) => ({ pages: (input as { place: string }).place.length }),
    };
    const one = limitedTool(tide, limiter, options);
    await run(one, "Portsmouth");
    expect(await left()).toEqual([8, 90]);
  });

  it("waits with maxWaitMs", async () => {
    const { limiter, clock } = limited("1/minute");
    const one = limitedTool(tide, limiter, { caller: "ada", maxWaitMs: 60_000 });
    await run(one);
    const waiting = run(one);
    await Promise.resolve();
    clock.advance(60_000);
    expect(await waiting).toMatchObject({ high: "09:14" });
  });

  it("holds a concurrent unit until its call is over, also if it streams or fails", async () => {
    const { limiter, left } = limited("9/minute; 1 concurrent");
    const streaming = limitedTool(
      tool({
        inputSchema,
        async *execute() {
          yield "low";
          yield "high";
        },
      }),
      limiter,
      { caller: "ada" },
    );
    const outputs: unknown[] = [];
    for await (const output of run(streaming) as AsyncIterable<unknown>) {
      outputs.push(output);
      expect(await left()).toEqual([8, 0]);
    }
    expect([outputs, await left()]).toEqual([
      ["low", "high"],
      [8, 1],
    ]);
    const broken = tool({
      inputSchema,
      execute: async (): Promise<string> => {
        throw new Error("no tide today");
      },
    });
    await expect(run(limitedTool(broken, limiter, { caller: "ada" }))).rejects.toThrow("no tide today");
    expect(await left()).toEqual([7, 1]);
  });

  it("does not pass a refusal to the tool's toModelOutput", async () => {
    const { limiter } = limited("1/minute");
    const own = tool({
      inputSchema,
      execute: async ({ place }) => ({ rows: [place] }),
      toModelOutput: ({ output }) => ({ type: "text", value: output.rows.join() }),
    });
    const one = limitedTool(own, limiter, { caller: "ada" });
    const modelOutput = async () => {
      const output = (await run(one)) as never;
      return one.toModelOutput?.({ toolCallId: "1", input: { place: "Dover" }, output });
    };
    expect(await modelOutput()).toEqual({ type: "text", value: "Dover" });
    expect(await modelOutput()).toEqual({
      type: "error-text",
      value: "This tool is rate limited. It may be used again in 60 seconds.",
    });
  });

  it.each<[string, () => unknown]>([
    [
      "a tool with `execute`",
      () => limitedTool(tool({ inputSchema }), limited("1/day").limiter, { caller: "ada" }),
    ],
    ["whose quota", () => limitedTool(tide, limited("1/day").limiter, { caller: undefined as never })],
    ['did you mean "maxWaitMs"', () => limitedTool(tide, limited("1/day").limiter, { maxWait: 3 } as never)],
  ])("throws for an invalid option, and names the fault: %s", (message, mistake) => {
    expect(mistake).toThrow(message);
  });
});

async function generateStreamed(model: ReturnType<typeof scriptedModel>, tools: { tide: typeof tide }) {
  const result = streamText({ model, prompt: "When is high tide?", tools, stopWhen: isStepCount(5) });
  await result.consumeStream();
  const outputs = (await result.steps).flatMap(({ toolResults }) => toolResults.map(({ output }) => output));
  return { text: await result.text, steps: outputs };
}
