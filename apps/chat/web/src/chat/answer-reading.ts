import type { AnswerNews, ChatMessage, ConversationWithMessages } from "../../../contract.ts";
import { api, problemOf } from "../service/api.ts";
import { client } from "../service/client.ts";
import { ServiceError } from "../service/failure.ts";
import { chunksOf, emptyAnswer, withChunk } from "./answer-stream.ts";
import type { TurnUnderWay } from "./turn-under-way.ts";

/** The minimum time between changes of the thread while an answer arrives, in milliseconds. */
const drawnEveryMs = 40;

/**
 * The waits before each attempt to reconnect, in milliseconds: about a minute in total, enough for a lift or a tunnel.
 */
const reconnectAfterMs = [300, 700, 1_500, 3_000, 5_000, 7_500, 10_000, 10_000, 10_000, 10_000];

/** Reads answers into the thread. */
export interface AnswerReading {
  /**
   * Reads an answer, and reconnects if necessary. @throws the error in the stream; `TypeError` if it cannot reconnect
   */
  readToEnd(
    own: TurnUnderWay,
    first: ReadableStream<Uint8Array>,
    thread: readonly ChatMessage[],
  ): Promise<void>;
  /**
   * Opens the stream of an answer that is in progress or has ended.
   *
   * @returns the stream; `undefined` if the answer has already ended and is in `own.answer`
   * @throws if the service cannot be reached, or has no answer
   */
  openAgain(own: TurnUnderWay): Promise<ReadableStream<Uint8Array> | undefined>;
}

/** @param show called with the updated thread, at most every 40 ms */
export function createAnswerReading(
  currentId: () => string | undefined,
  show: (thread: readonly ChatMessage[]) => void,
): AnswerReading {
  async function readToEnd(
    own: TurnUnderWay,
    first: ReadableStream<Uint8Array>,
    thread: readonly ChatMessage[],
  ): Promise<void> {
    for (let body: ReadableStream<Uint8Array> | undefined = first; body; body = await reconnect(own)) {
      try {
        await readAnswer(own, body, thread);
      } catch (error) {
        if (own.abort.signal.aborted) throw error;
      }
      if (own.answer.isComplete) break;
    }
    if (own.answer.errorText !== undefined) throw new Error(own.answer.errorText);
  }

  /** @returns the stream; `undefined` if the answer has already ended and is in `own.answer` */
  async function reconnect(own: TurnUnderWay): Promise<ReadableStream<Uint8Array> | undefined> {
    const { signal } = own.abort;
    for (const waitMs of reconnectAfterMs) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      signal.throwIfAborted();
      try {
        return await openAgain(own);
      } catch (error) {
        if (signal.aborted || error instanceof ServiceError) throw error;
      }
    }
    throw new TypeError("The connection ended before the answer did.");
  }

  /** Like `reconnect`, but with a single attempt. */
  async function openAgain(own: TurnUnderWay): Promise<ReadableStream<Uint8Array> | undefined> {
    const id = encodeURIComponent(currentId() ?? "");
    const { signal } = own.abort;
    const response = await client.fetch(`/chat/stream/${id}`, { signal });
    if (response.status === 200 && response.body) {
      own.answer = emptyAnswer(own.answer.message.id);
      return response.body;
    }
    if (response.status !== 204) throw new ServiceError(response.status, await problemOf(response));
    const stored = await api<ConversationWithMessages>(`/conversations/${id}`, { signal });
    const question = stored.messages.findIndex((message) => message.id === own.messageId);
    const message = stored.messages[question + 1];
    if (question === -1 || message?.role !== "assistant") {
      throw new TypeError("This message has no answer.");
    }
    own.answer = { message, errorText: undefined, isComplete: true };
    return undefined;
  }

  async function readAnswer(
    own: TurnUnderWay,
    body: ReadableStream<Uint8Array>,
    thread: readonly ChatMessage[],
  ): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      clearTimeout(timer);
      timer = undefined;
      if (own.answer.message.parts.length > 0) show([...thread, own.answer.message]);
    };
    try {
      for await (const chunk of chunksOf(body)) {
        if (chunk.type === "data-news") own.news = chunk.data as AnswerNews;
        own.answer = withChunk(own.answer, chunk);
        if (own.answer.message.parts.length > 0) timer ??= setTimeout(draw, drawnEveryMs);
      }
    } finally {
      draw();
    }
  }

  return { readToEnd, openAgain };
}
