import type { Call } from "./call.ts";
import { perAttachment } from "./estimate/prompt-size.ts";
import { reportedUse, stopPart } from "./finish-part.ts";
import type { StreamPart, StreamParts } from "./language-model.ts";
import type { Patience } from "./patience.ts";
import type { Spending } from "./spending.ts";

type BlockEnd = Extract<StreamPart, { type: "text-end" | "reasoning-end" | "tool-input-end" }>;

/** Read one chunk at a time, and only on demand. */
const unbuffered = { highWaterMark: 0 };

/** Returns the parts of an answer for which no budget is left. */
export function stoppedParts(spending: Spending): StreamParts {
  return new ReadableStream<StreamPart>({
    start(controller) {
      controller.enqueue({ type: "stream-start", warnings: [] });
      controller.enqueue(stopPart(spending, undefined));
      controller.close();
    },
  });
}

/** Counts the parts of an answer as they pass, and ends the answer cleanly when the budget is spent. */
export function meteredParts(
  parts: StreamParts,
  call: Call,
  spending: Spending,
  waiting: Patience,
): StreamParts {
  const reader = parts.getReader();
  const counter = new PartCounter(call);

  function stop(controller: ReadableStreamDefaultController<StreamPart>): void {
    spending.outOfBudget();
    reader.cancel("budget").catch(() => {});
    for (const part of counter.openBlocks()) controller.enqueue(part);
    controller.enqueue(stopPart(spending, call));
  }

  let isOpen = true;
  let reading: Promise<void> = Promise.resolve();

  async function passOn(controller: ReadableStreamDefaultController<StreamPart>): Promise<void> {
    if (!isOpen) return;
    if (call.end === undefined && call.said && !(await spending.account.keepAhead())) {
      stop(controller);
      await spending.callOver(call, "cut");
      return close(controller);
    }
    const { done, value } = await waiting.for(reader.read());
    if (done || counter.count(value))
      await spending.callOver(call, counter.hasFailed ? "failed" : "finished");
    if (done) return close(controller);
    if (isOpen) controller.enqueue(value);
  }

  function close(controller: ReadableStreamDefaultController<StreamPart>): void {
    waiting.over();
    if (isOpen) controller.close();
    isOpen = false;
  }

  async function failed(
    error: unknown,
    controller: ReadableStreamDefaultController<StreamPart>,
  ): Promise<void> {
    reader.cancel(error).catch(() => {});
    await spending.callOver(call, spending.isGone ? "cut" : "failed");
    if (isOpen && spending.isTimedOut) {
      // An error part can be shown by the reader of the answer.
      controller.enqueue({ type: "error", error });
      return close(controller);
    }
    waiting.over();
    if (isOpen) controller.error(error);
    isOpen = false;
  }

  return new ReadableStream<StreamPart>(
    {
      start(controller) {
        // The drained parts are still passed on: the service may read the answer after the client left, such as to save
        // it.
        call.drain = async () => {
          while (call.end === undefined && spending.drains) await next(controller);
        };
      },
      pull: next,
      async cancel(reason) {
        isOpen = false;
        waiting.over();
        // The reader left, but what was written so far counts.
        await spending.callOver(call, "cut");
        await reader.cancel(reason);
      },
    },
    unbuffered,
  );

  /** Passes on one part at a time, even if the reader and the drain ask at the same time. */
  function next(controller: ReadableStreamDefaultController<StreamPart>): Promise<void> {
    reading = reading.then(() => passOn(controller)).catch((error) => failed(error, controller));
    return reading;
  }
}

/** Counts the parts of one answer. */
export class PartCounter {
  readonly #call: Call;
  /** The open blocks, each with the part that ends it. */
  readonly #open = new Map<string, BlockEnd>();
  /** Tools whose input was streamed. */
  readonly #streamedTools = new Set<string>();
  hasFailed = false;

  constructor(call: Call) {
    this.#call = call;
  }

  openBlocks(): Iterable<BlockEnd> {
    return this.#open.values();
  }

  /** Counts a part. Returns whether it ends the call. */
  count(part: StreamPart): boolean {
    const call = this.#call;
    switch (part.type) {
      case "text-start":
        this.#open.set(`text ${part.id}`, { type: "text-end", id: part.id });
        return false;
      case "text-delta":
        call.write(part.delta);
        return false;
      case "text-end":
        this.#open.delete(`text ${part.id}`);
        return false;
      case "reasoning-start":
        this.#open.set(`reasoning ${part.id}`, { type: "reasoning-end", id: part.id });
        return false;
      case "reasoning-delta":
        call.write(part.delta, "reasoning");
        return false;
      case "reasoning-end":
        this.#open.delete(`reasoning ${part.id}`);
        return false;
      case "tool-input-start":
        this.#open.set(`tool ${part.id}`, { type: "tool-input-end", id: part.id });
        this.#streamedTools.add(part.id);
        call.write(part.toolName);
        return false;
      case "tool-input-delta":
        call.write(part.delta);
        return false;
      case "tool-input-end":
        this.#open.delete(`tool ${part.id}`);
        return false;
      case "tool-call":
        if (!this.#streamedTools.has(part.toolCallId)) call.write(part.toolName + part.input);
        return false;
      case "file":
      case "reasoning-file":
        call.writeTokens(perAttachment);
        return false;
      case "error":
        this.hasFailed = true;
        return false;
      case "finish":
        if (part.finishReason?.unified === "error") this.hasFailed = true;
        call.report(reportedUse(part.usage));
        return true;
      default:
        return false;
    }
  }
}
