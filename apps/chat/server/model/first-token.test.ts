import type { TextStreamPart, ToolSet } from "ai";
import { describe, expect, it } from "vitest";
import { EmptyAnswerError, ModelTimeoutError } from "./failure.ts";
import { firstToken } from "./first-token.ts";

type Part = TextStreamPart<ToolSet>;
const start = { type: "start" } as Part;
const text = (words: string) => ({ type: "text-delta", id: "1", text: words }) as Part;
const finish = { type: "finish", finishReason: "stop" } as Part;
const failed = (error: unknown) => ({ type: "error", error }) as Part;

function streamOf(parts: Part[], end: "close" | "hang" | Error = "close"): ReadableStream<Part> {
  const rest = [...parts];
  return new ReadableStream<Part>(
    {
      pull(controller) {
        const part = rest.shift();
        if (part) return controller.enqueue(part);
        if (end === "hang") return new Promise(() => {});
        if (end instanceof Error) return controller.error(end);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

async function all(stream: ReadableStream<Part>): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const neverFires = { startTimer: () => () => {} };

describe("waiting for the first token", () => {
  it.each([
    ["a word", text("On ")],
    ["a thought", { type: "reasoning-delta", id: "1", text: "Hm" } as Part],
    ["a tool's name", { type: "tool-input-start", id: "1", toolName: "take_home" } as Part],
    ["a tool call", { type: "tool-call", toolCallId: "1", toolName: "take_home", input: {} } as Part],
  ])("ends with %s, and nothing is lost", async (_, token) => {
    const parts = [start, { type: "start-step" } as Part, text(""), token, text("more"), finish];
    const { known, stream, beginning } = await firstToken(streamOf(parts), neverFires);
    expect(known).toEqual({ kind: "started" });
    expect(await beginning).toEqual({ kind: "started" });
    expect(await all(stream)).toEqual(parts);
  });

  it("ends with a failure before it", async () => {
    const error = new Error("no");
    expect((await firstToken(streamOf([start, failed(error)]), neverFires)).known).toEqual({
      kind: "failed",
      error,
    });
    const broken = await firstToken(streamOf([start], error), neverFires);
    expect(broken.known).toEqual({ kind: "failed", error });
    expect(await all(broken.stream)).toEqual([start, failed(error)]);
  });

  it("treats an answer without text as a failure", async () => {
    const finished = await firstToken(streamOf([start, finish]), neverFires);
    expect(finished.known).toEqual({ kind: "failed", error: expect.any(EmptyAnswerError) });
    const closed = await firstToken(streamOf([]), neverFires);
    expect(closed.known).toEqual({ kind: "failed", error: expect.any(EmptyAnswerError) });
  });

  it("distinguishes a stop from a time-out", async () => {
    const abort = { type: "abort", reason: "First chunk timeout of 5ms exceeded" } as Part;
    const timedOut = await firstToken(streamOf([start, abort]), neverFires);
    expect(timedOut.known).toEqual({ kind: "failed", error: expect.any(ModelTimeoutError) });
    const stopped = await firstToken(streamOf([start, abort]), {
      ...neverFires,
      abortSignal: AbortSignal.abort(),
    });
    expect(stopped.known).toEqual({ kind: "stopped" });
  });

  it("treats a model's report after a stop as the stop", async () => {
    const reports = [start, failed(new DOMException("This operation was aborted", "AbortError"))];
    const options = { ...neverFires, abortSignal: AbortSignal.abort() };
    expect((await firstToken(streamOf(reports), options)).known).toEqual({ kind: "stopped" });
  });

  it("is not affected by a later failure", async () => {
    const parts = [start, text("On "), failed(new Error("late"))];
    const { known, stream, beginning } = await firstToken(streamOf(parts), neverFires);
    expect(known).toEqual({ kind: "started" });
    expect(await all(stream)).toEqual(parts);
    expect(await beginning).toEqual({ kind: "started" });
  });

  it("is limited: the stream is returned undecided, and the beginning reported later", async () => {
    let waited: number | undefined;
    const startTimer = (ms: number, fire: () => void) => {
      waited = ms;
      queueMicrotask(fire);
      return () => {};
    };
    let release: (part: Part | undefined) => void = () => {};
    const slow = new ReadableStream<Part>(
      {
        pull: (controller) =>
          new Promise<void>((resolve) => {
            release = (part) => {
              if (part) controller.enqueue(part);
              else controller.close();
              resolve();
            };
          }),
      },
      { highWaterMark: 0 },
    );
    const { known, stream, beginning } = await firstToken(slow, { waitMs: 10_000, startTimer });
    expect(waited).toBe(10_000);
    expect(known).toBeUndefined();
    const reader = stream.getReader();
    const first = reader.read();
    const error = new Error("too late for a status");
    release(failed(error));
    expect((await first).value).toEqual(failed(error));
    expect(await beginning).toEqual({ kind: "failed", error });
  });

  it("turns a broken connection into an error part", async () => {
    const error = new TypeError("terminated");
    const { stream } = await firstToken(streamOf([start, text("On ")], error), neverFires);
    expect(await all(stream)).toEqual([start, text("On "), failed(error)]);
  });

  it("clears its timer", async () => {
    let cancelled = 0;
    const startTimer = () => () => {
      cancelled += 1;
    };
    await firstToken(streamOf([text("On ")]), { startTimer });
    expect(cancelled).toBe(1);
  });

  it("passes a cancellation on, and treats it as a stop if nothing had arrived", async () => {
    let cancelled: unknown;
    const source = new ReadableStream<Part>({
      cancel(reason) {
        cancelled = reason;
      },
    });
    const startTimer = (_: number, fire: () => void) => {
      fire();
      return () => {};
    };
    const { stream, beginning } = await firstToken(source, { startTimer });
    await stream.cancel("gone");
    expect(cancelled).toBe("gone");
    expect(await beginning).toEqual({ kind: "stopped" });
  });
});
