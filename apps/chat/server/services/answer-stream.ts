import { type ModelMessage, type TextStreamPart, toUIMessageStream, type UIMessageChunk } from "ai";
import type { Meter } from "headgate/ai";
import type { Logger } from "pino";
import type { AnswerMetadata, AnswerNews, ChatMessage, Micros } from "../../contract.ts";
import type { FairTurns } from "../fair-turns.ts";
import { describeError } from "../http/describe-error.ts";
import { describeFailure, ModelTimeoutError, modelFailure } from "../model/failure.ts";
import type { Beginning } from "../model/first-token.ts";
import { costOf } from "../model/price.ts";
import type { ModelChoice } from "../model/provider.ts";
import { suggestionsAfter } from "../model/suggestions.ts";
import type { SalaryTools } from "../model/tools.ts";
import type { Used } from "../repositories/turns.ts";
import { noUsage } from "../usage.ts";
import type { JournalEntry } from "./journal.ts";
import type { AnswerRecord } from "./metrics.ts";
import type { Spending } from "./spending.ts";
import { storableParts } from "./storable-parts.ts";
import type { Turn, TurnService } from "./turns.ts";
import type { UsageMeter } from "./usage-meter.ts";

export type AnswerChunk = UIMessageChunk<AnswerMetadata>;

export type Part = TextStreamPart<SalaryTools>;

export interface AnswerStreamOptions {
  turn: Turn;
  turns: TurnService;
  choice: ModelChoice;
  createdAt: Date;
  /** The model's messages, for suggestions. */
  messages: ModelMessage[];
  parts: ReadableStream<Part>;
  /** Lets other streams have their turn before each part. */
  fairTurns: FairTurns;
  /** Records whether there was a first token. */
  beginning: Promise<Beginning>;
  meter: UsageMeter;
  metered: Meter | undefined;
  /** Binds the meter to the answer: when the answer ends, its tokens are charged and its place is free. */
  bind(parts: ReadableStream<Part>): ReadableStream<Part>;
  /** The credit that is held; `undefined` if nobody pays. */
  spending: Spending | undefined;
  entry: JournalEntry;
  /** Stops the model. */
  stop: AbortController;
  /** Aborted if the service, not a person, ends the answer. */
  serviceEnds: AbortSignal;
  log: Logger;
  refund(): Promise<void>;
  /** Called once the answer is charged. Resolves with the remaining quota and credit. */
  news(cost: Micros): Promise<AnswerNews>;
  /** Called once the answer is saved, or could not be saved. */
  onAnswered?: ((record: AnswerRecord) => void) | undefined;
  /** Called when the answer is saved and its last chunk is sent, or after a failure. */
  onEnd(): void;
}

/**
 * Converts a model's answer for the page, and saves it before its end is sent. The answer is always read to its end: a
 * lost connection or a closed page does not stop it. A slow reader does not delay it: unread chunks wait in memory,
 * because an answer is short.
 */
export function answerStream(options: AnswerStreamOptions): ReadableStream<AnswerChunk> {
  const {
    turn,
    turns,
    choice,
    messages,
    beginning,
    meter,
    metered,
    spending,
    entry,
    stop,
    log,
    refund,
    onEnd,
  } = options;
  const metadata: AnswerMetadata = {
    conversationId: turn.conversationId,
    model: choice.name,
    createdAt: options.createdAt.toISOString(),
  };
  const startedAt = performance.now();
  let isWhole = false;
  let charged: Micros = 0;
  let failure: { error: unknown } | undefined;
  let written: ChatMessage["parts"] = [];

  function used(): Used {
    const usage = meter.usage();
    return { usage, cost: costOf(usage, choice.price) };
  }

  function see(part: Part): void | Promise<void> {
    meter.read(part);
    if (part.type === "finish") isWhole = true;
    if (part.type === "error") failure ??= { error: part.error };
    if (part.type === "abort" && !stop.signal.aborted) {
      failure ??= { error: new ModelTimeoutError(part.reason ?? "The model's time limit has passed.") };
    }
    const soFar = used();
    entry.use(soFar);
    if (isWhole || spending === undefined) return;
    const isCovered = spending.keepAhead(soFar.cost);
    return isCovered instanceof Promise ? isCovered.then(stopUnless) : stopUnless(isCovered);
  }

  function stopUnless(isCovered: boolean): void {
    if (!isCovered) stop.abort();
  }

  /** Runs before the meter charges: a reader who got nothing pays nothing. */
  async function readToTheEnd(): Promise<void> {
    if ((await beginning).kind === "failed") await refund();
  }

  const parts = watched(options.parts, options.fairTurns, see, readToTheEnd);
  const chunks = toUIMessageStream<SalaryTools, ChatMessage>({
    stream: options.bind(parts),
    generateMessageId: () => turn.answerId,
    messageMetadata: ({ part }) => (part.type === "start" ? metadata : undefined),
    onError: (error) => modelFailure(error).detail,
    // The tools' own errors can be shown: they name the known years, or the largest salary.
    redactToolErrors: false,
    onEnd: ({ responseMessage }) => {
      written = responseMessage.parts;
    },
  });

  async function run(send: (chunk: AnswerChunk) => void): Promise<void> {
    const tell = (chunk: AnswerChunk) => {
      entry.write(chunk);
      send(chunk);
    };
    const fail = (error: unknown) => {
      failure ??= { error };
      tell({ type: "error", errorText: modelFailure(error).detail });
    };
    let end: AnswerChunk | undefined;
    try {
      for await (const chunk of chunks as ReadableStream<AnswerChunk> & AsyncIterable<AnswerChunk>) {
        if (chunk.type === "finish") end = chunk;
        // A time-out arrives as an abort part, which a client would take for its own abort.
        else if (chunk.type !== "abort") tell(chunk);
        else if (failure) fail(failure.error);
      }
      const began = await beginning;
      if (began.kind === "failed" && !failure) fail(began.error);
    } catch (error) {
      fail(error);
    }
    if (failure) logFailure(log, failure.error);
    try {
      const saved = await save();
      await sendNews(send);
      send({ type: "message-metadata", messageMetadata: saved });
    } catch (error) {
      log.error({ error: describeError(error) }, "an answer was not saved");
      send({
        type: "error",
        errorText: "This answer could not be saved. Copy what you want to keep, then try again.",
      });
    }
    if (spending?.isExhausted()) send({ type: "finish", finishReason: "length" });
    else if (end) send(end);
  }

  /** Sends the remaining quota and credit. If that fails, the page asks for them. */
  async function sendNews(send: (chunk: AnswerChunk) => void): Promise<void> {
    try {
      send(newsChunk(await options.news(charged)));
    } catch (error) {
      log.warn({ error: describeError(error) }, "cannot report the remaining quota and credit");
    }
  }

  function howItEnded(): AnswerMetadata["incomplete"] {
    if (failure) return "failed";
    if (spending?.isExhausted()) return "credit";
    if (metered?.news().budget) return "quota";
    if (isWhole) return undefined;
    return options.serviceEnds.aborted ? "failed" : "stopped";
  }

  /** @returns the message's final metadata */
  async function save(): Promise<AnswerMetadata> {
    const began = await beginning;
    const { usage, cost }: Used = began.kind === "started" ? used() : { usage: noUsage, cost: 0 };
    const { inputTokens, outputTokens } = usage;
    const incomplete = howItEnded();
    const suggestions = incomplete ? [] : suggestionsAfter(messages, options.createdAt.getTime());
    const complete: AnswerMetadata = {
      ...metadata,
      inputTokens,
      outputTokens,
      ...(suggestions.length > 0 ? { suggestions } : {}),
      ...(incomplete ? { incomplete } : {}),
    };
    await entry.close();
    await turns.finish(turn, storableParts(written), complete, { usage, cost });
    charged = turn.payer === undefined ? 0 : cost;
    const outcome = incomplete ?? "whole";
    log.info({ model: choice.name, ...usage, costMicros: cost, outcome }, "answer");
    options.onAnswered?.({ choice, usage, durationMs: performance.now() - startedAt, outcome });
    return complete;
  }

  let isRead = true;
  return new ReadableStream<AnswerChunk>({
    start(controller) {
      void run((chunk) => {
        if (isRead) controller.enqueue(chunk);
      }).finally(() => {
        if (isRead) controller.close();
        onEnd();
      });
    },
    cancel() {
      isRead = false;
    },
  });
}

/** Returns the remaining quota and credit as a chunk that is not part of the message. */
export function newsChunk(news: AnswerNews): AnswerChunk {
  return { type: "data-news", data: news, transient: true };
}

/** Logs the kind of a model's failure, but not its message, which may contain keys and what people wrote. */
export function logFailure(log: Logger, error: unknown): void {
  log.warn({ code: modelFailure(error).code, ...describeFailure(error) }, "the model failed");
}

/** Calls back for each part of a stream. Cheaper than a transform stream, which consists of two streams. */
function watched(
  parts: ReadableStream<Part>,
  fairTurns: FairTurns,
  see: (part: Part) => void | Promise<void>,
  readToTheEnd: () => Promise<void>,
): ReadableStream<Part> {
  const reader = parts.getReader();
  return new ReadableStream<Part>(
    {
      async pull(controller) {
        await fairTurns.take();
        const { done, value } = await reader.read();
        if (done) {
          await readToTheEnd();
          return controller.close();
        }
        const seen = see(value);
        if (seen instanceof Promise) await seen;
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
