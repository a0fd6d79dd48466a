import { afterEach, describe, expect, it } from "vitest";
import { type OpenAiServer, type OpenAiServerMode, startOpenAiServer } from "./openai-server.ts";

let server: OpenAiServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const ask = (url: string, stream: boolean) =>
  fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "m", stream, messages: [{ role: "user", content: "hello" }] }),
  });

describe("the test server", () => {
  it("streams chunks that end in usage and [DONE]", async () => {
    server = await startOpenAiServer({ text: "one two" });
    const events = (await (await ask(server.url, true)).text()).trim().split("\n\n");
    expect(events.at(-1)).toBe("data: [DONE]");
    const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice("data: ".length)));
    expect(chunks.map((chunk) => chunk.choices[0]?.delta?.content).filter(Boolean)).toEqual(["one", " two"]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } });
  });

  it("also answers without streaming", async () => {
    server = await startOpenAiServer({ text: "one two" });
    expect(await (await ask(server.url, false)).json()).toMatchObject({
      choices: [{ message: { content: "one two" }, finish_reason: "stop" }],
    });
  });

  it("sends a slow answer a chunk at a time, as it is released", async () => {
    server = await startOpenAiServer({ mode: "slow", text: "one two three" });
    const response = await ask(server.url, true);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    const readUntil = async (words: string) => {
      while (!seen.includes(words)) seen += (await reader?.read())?.value ?? "";
    };
    await readUntil('"role":"assistant"');
    expect(seen).not.toContain('"one"');
    server.release();
    await readUntil('"one"');
    expect(seen).not.toContain('" two"');
    server.release(Number.POSITIVE_INFINITY);
    await readUntil("[DONE]");
  });

  it.each<[OpenAiServerMode, number]>([
    ["fail-500", 500],
    ["fail-429", 429],
    ["fail-401", 401],
    ["fail-404", 404],
    ["fail-too-long", 400],
  ])("%s", async (mode, status) => {
    server = await startOpenAiServer({ mode });
    const response = await ask(server.url, true);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } });
  });

  it("hangs up", async () => {
    server = await startOpenAiServer({ mode: "hang-up" });
    await expect(ask(server.url, true)).rejects.toThrow();
  });

  it("records requests, closes during an answer, and rejects other paths", async () => {
    server = await startOpenAiServer({ mode: "never" });
    const arrived = server.nextRequest();
    const pending = ask(server.url, true).catch(() => "closed");
    expect((await arrived).body).toMatchObject({ model: "m", stream: true });
    expect((await fetch(`${server.url}/models`)).status).toBe(404);
    await server.close();
    expect(await pending).toBe("closed");
    server = undefined;
  });
});
