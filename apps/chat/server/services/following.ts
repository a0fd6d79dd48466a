import { getToolName, isToolUIPart } from "ai";
import type { AnswerNews, ChatMessage } from "../../contract.ts";
import type { Database } from "../database/connect.ts";
import { listParts } from "../repositories/answer-parts.ts";
import { findMessage, type MessageRow } from "../repositories/messages.ts";
import { stateOfTurn } from "../repositories/turns.ts";
import { type AnswerChunk, newsChunk } from "./answer-stream.ts";
import type { KnownTurn } from "./asked-question.ts";
import { chunksIn } from "./journal.ts";
import type { TurnService } from "./turns.ts";

/** How long after a process's last heartbeat its answers count as broken off. */
export const LEASE_MS = 30_000;

export interface Following {
  /**
   * Streams an answer that another request started, perhaps in another process, from its beginning to its end. An ended
   * answer is streamed as it was saved.
   */
  follow(turn: Followed): ReadableStream<AnswerChunk>;
}

export interface Followed extends Pick<KnownTurn, "conversationId" | "answerId"> {
  /** Returns the remaining quota and credit after the answer has ended. */
  news(): Promise<AnswerNews>;
  /** Called once, when the stream was read to its end or cancelled. */
  onEnd(): void;
}

export interface FollowingOptions {
  database: Database;
  turns: Pick<TurnService, "sweep">;
  /** How often the database is polled. Default 250 ms. */
  pollMs?: number;
}

export function createFollowing({ database, turns, pollMs = 250 }: FollowingOptions): Following {
  async function* chunksOf(
    { conversationId, answerId, news }: Followed,
    isRead: () => boolean,
  ): AsyncGenerator<AnswerChunk> {
    let position = 0;
    while (isRead()) {
      const state = await stateOfTurn(database, answerId, LEASE_MS);
      if (state === "lapsed") await turns.sweep(LEASE_MS);
      for (const row of await listParts(database, answerId, position)) {
        // The beginning of a very long answer is no longer stored, so the answer is shown only after it has ended.
        if (row.position > position) break;
        yield* chunksIn(row);
        position += row.count;
      }
      if (state !== "running") break;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    const saved = await findMessage(database, conversationId, answerId);
    if (!saved || saved.parts.length === 0) yield notAnswered;
    else {
      if (position === 0) yield* replayOf(saved);
      yield newsChunk(await news());
      yield { type: "message-metadata", messageMetadata: saved.metadata };
      yield { type: "finish" };
    }
  }

  return {
    follow(turn) {
      let isRead = true;
      const chunks = chunksOf(turn, () => isRead);
      return new ReadableStream<AnswerChunk>(
        {
          async pull(controller) {
            try {
              const { done, value } = await chunks.next();
              if (!isRead) return;
              if (!done) return controller.enqueue(value);
              turn.onEnd();
              controller.close();
            } catch (error) {
              turn.onEnd();
              controller.error(error);
            }
          },
          cancel() {
            isRead = false;
            turn.onEnd();
          },
        },
        { highWaterMark: 0 },
      );
    },
  };
}

const notAnswered: AnswerChunk = {
  type: "error",
  errorText: "This message was not answered, and nothing was charged for it. Please try again.",
};

type Saved = Pick<MessageRow, "id" | "parts" | "metadata">;

/** Yields a saved answer as a stream, up to its end. */
function* replayOf(saved: Saved): Generator<AnswerChunk> {
  yield { type: "start", messageId: saved.id, messageMetadata: saved.metadata };
  for (const [place, part] of saved.parts.entries()) yield* chunksOfPart(part, String(place));
}

function* chunksOfPart(part: ChatMessage["parts"][number], id: string): Generator<AnswerChunk> {
  if (part.type === "step-start") yield { type: "start-step" };
  else if (part.type === "text" || part.type === "reasoning") {
    yield { type: `${part.type}-start`, id };
    yield { type: `${part.type}-delta`, id, delta: part.text };
    yield { type: `${part.type}-end`, id };
  } else if (isToolUIPart(part)) {
    const { toolCallId, input } = part;
    yield { type: "tool-input-available", toolCallId, toolName: getToolName(part), input };
    if (part.state === "output-available") {
      yield { type: "tool-output-available", toolCallId, output: part.output };
    } else if (part.state === "output-error") {
      yield { type: "tool-output-error", toolCallId, errorText: part.errorText };
    }
  }
}
