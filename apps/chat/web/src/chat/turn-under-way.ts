import type { AnswerNews } from "../../../contract.ts";
import { type AnswerSoFar, emptyAnswer } from "./answer-stream.ts";
import { newMessageId } from "./message.ts";
import type { Intent } from "./request.ts";

/** A question on its way. A later one is another object, so that a late answer to this one is not taken for its own. */
export interface TurnUnderWay {
  intent: Intent;
  /** The id of the question. */
  messageId: string;
  /** Ends the reading, and not the answer. */
  abort: AbortController;
  isStopped: boolean;
  accepted: boolean;
  answer: AnswerSoFar;
  news?: AnswerNews;
}

/** @param accepted whether the service has the question already */
export function newTurn(intent: Intent, messageId: string, accepted: boolean): TurnUnderWay {
  const abort = new AbortController();
  return { intent, messageId, abort, isStopped: false, accepted, answer: emptyAnswer(newMessageId()) };
}
