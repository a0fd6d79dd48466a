import { EventEmitter } from "node:events";
import { inputTokens, scriptedModel } from "@headgate/test-servers/scripted-model.ts";
import { generateText, isStepCount, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Admitted } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { createEstimator } from "./estimate/estimator.ts";
import type { LanguageModelV4 } from "./language-model.ts";
import { meter } from "./meter.ts";

const words = (count: number) => Array.from({ length: count }, () => "tide ");
const ofBoth = inputTokens + 30 + inputTokens + 200;

type Moment = "call 1" | "middle 1" | "tool" | "call 2" | "middle 2";

/** Creates a wait that stops at one moment until the test lets it continue. */
function pause(at: string) {
  let reach = () => {};
  let release = () => {};
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const wait = async (moment: string) => {
    if (moment !== at) return;
    reach();
    await released;
  };
  return { wait, reached, release };
}

/** Makes a model wait before each call and before the eighth part of each answer. */
function pausing(model: LanguageModelV4, wait: (moment: string) => Promise<void>): LanguageModelV4 {
  let calls = 0;
  return {
    ...model,
    async doGenerate(options) {
      await wait("generate");
      return model.doGenerate(options);
    },
    async doStream(options) {
      const call = ++calls;
      let parts = 0;
      await wait(`call ${call}`);
      const result = await model.doStream(options);
      const transform = async (
        part: unknown,
        controller: TransformStreamDefaultController,
      ): Promise<void> => {
        if (++parts === 8) await wait(`middle ${call}`);
        controller.enqueue(part);
      };
      return { ...result, stream: result.stream.pipeThrough(new TransformStream({ transform })) };
    },
  };
}

async function begin(tokens: number) {
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: `9/minute; ${tokens} tokens/day; 3 concurrent` }],
    clock: fakeClock(),
  });
  const left = async () => {
    const { limits } = await limiter.peek("ada", { cost: { requests: 0, tokens: 0, concurrent: 0 } });
    return limits.map(({ remaining }) => remaining);
  };
  const admission = (await limiter.admit("ada", { cost: { tokens: 300 } })) as Admitted;
  return { admission, left };
}

interface Hanging {
  at: Moment;
  bound: "unbound" | "Node's response";
  tokens?: number;
}

/** Lets the client leave during an answer of two calls. The service reads the answer to its end, to save it. */
async function hangUp({ at, bound, tokens = 9000 }: Hanging, onHangUp: "abort" | "drain") {
  const { admission, left } = await begin(tokens);
  const metered = meter(admission, { estimator: createEstimator(), onHangUp });
  const response = Object.assign(new EventEmitter(), {
    writableFinished: false,
    destroyed: false,
    statusCode: 200,
  });
  if (bound !== "unbound") metered.bind(response);
  const model = scriptedModel(
    { says: words(30), calls: { name: "tide", input: "{}" } },
    { says: words(200), ...(tokens < 9000 ? { usage: "absent" as const } : {}) },
  );
  const { wait, reached, release } = pause(at);
  const tide = tool({
    inputSchema: z.object({}),
    execute: () => wait("tool").then(() => "high"),
  });
  const result = streamText({
    model: metered.model(pausing(model, wait)),
    prompt: "Tell me about the tide.",
    tools: { tide },
    stopWhen: isStepCount(3),
    maxRetries: 0,
    onError: () => {},
  });
  let read = "";
  const reading = (async () => {
    for await (const part of result.fullStream) if (part.type === "text-delta") read += part.text;
  })().catch(() => {});
  await reached;
  if (bound === "unbound") await admission.end();
  else response.emit("close");
  release();
  const end = await metered.ended;
  await reading;
  return { end, left: await left(), model, wordsRead: read.split(" ").length - 1 };
}

describe.each(["unbound", "Node's response"] as const)("a client that hangs up (%s)", (bound) => {
  it.each<[Moment, number]>([
    ["call 1", inputTokens + 30],
    ["middle 1", inputTokens + 30],
    ["call 2", ofBoth],
    ["middle 2", ofBoth],
  ])("at %s lets the drained call end, and its reader gets every word", async (at, tokens) => {
    const { end, left, model, wordsRead } = await hangUp({ at, bound }, "drain");
    expect(end).toMatchObject({ how: "gone", charged: { tokens }, estimated: false });
    expect(wordsRead).toBe(model.said);
    expect(left).toEqual([8, 9000 - tokens, 3]);
  });

  it.each(["abort", "drain"] as const)("between two calls ends the answer (%s)", async (onHangUp) => {
    const { end, left, model } = await hangUp({ at: "tool", bound }, onHangUp);
    expect(model.calls).toHaveLength(1);
    expect(end).toMatchObject({ charged: { tokens: inputTokens + 30 }, estimated: false });
    expect(left).toEqual([8, 9000 - inputTokens - 30, 3]);
  });

  it("is drained only as far as the budget allows", async () => {
    const tokens = 300;
    const { end, left, model } = await hangUp({ at: "middle 2", bound, tokens }, "drain");
    expect(model.said).toBeLessThan(230);
    const charged = end.charged as { tokens: number };
    expect(charged.tokens).toBeLessThanOrEqual(tokens);
    expect(left).toEqual([8, tokens - charged.tokens, 3]);
  });
});

it("is drained if it is not streamed, too", async () => {
  const { admission, left } = await begin(9000);
  const metered = meter(admission, { estimator: createEstimator(), onHangUp: "drain" });
  const { wait, reached, release } = pause("generate");
  const model = metered.model(pausing(scriptedModel({ says: words(50) }), wait));
  const generated = generateText({ model, prompt: "Tell me about the tide." });
  await reached;
  await admission.end();
  release();
  expect((await generated).text.split(" ")).toHaveLength(51);
  expect(await metered.ended).toMatchObject({ how: "gone", charged: { tokens: inputTokens + 50 } });
  expect(await left()).toEqual([8, 9000 - inputTokens - 50, 3]);
});
