import type { AnswerNews } from "../../../contract.ts";
import { type AnswerSoFar, emptyAnswer } from "./answer-stream.ts";
import { newMessageId } from "./message.ts";
import type { Intent } from "./request.ts";

/**
 * A question in progress. Each question has its own object, so that a late answer is not taken for the answer to
 * another question.
 */
export interface TurnUnderWay {
  intent: Intent;
  /** The id of the question. */
  messageId: string;
  /** Stops reading the answer, but does not end it. */
  abort: AbortController;
  isStopped: boolean;
  accepted: boolean;
  answer: AnswerSoFar;
  news?: AnswerNews;
}

/** @param accepted whether the service already has the question */
export function newTurn(intent: Intent, messageId: string, accepted: boolean): TurnUnderWay {
  const abort = new AbortController();
  return { intent, messageId, abort, isStopped: false, accepted, answer: emptyAnswer(newMessageId()) };
}
