import type { AnswerNews, ChatMessage } from "../../../contract.ts";
import type { Observable } from "../design/observable.ts";
import type { Failure } from "../service/failure.ts";
import { createAnswerReading } from "./answer-reading.ts";
import { type AnswerOutcome, createAnswering } from "./answering.ts";
import { type Draft, putFirst } from "./drafts.ts";
import { createExchange } from "./exchange.ts";
import { newMessageId } from "./message.ts";
import { createSessionParts, type SessionState } from "./session-state.ts";

/** A conversation on this page. Its answer continues while another conversation is shown. */
export interface ChatSession {
  /** Identifies the session, even before it has a conversation. */
  readonly key: string;
  /** The thread. While an answer arrives, the thread is replaced at most every 40 ms. */
  readonly messages: Observable<readonly ChatMessage[]>;
  readonly state: Observable<SessionState>;
  draft(): Observable<Draft>;
  /**
   * Sends the text in the composer. A given text is inserted there first, so that it is there after a refusal. Does
   * nothing if the composer is empty or an answer is in progress.
   */
  ask(text?: string): Promise<void>;
  /** Asks for an answer to the last question again, to replace an answer or because the question has none. */
  again(replaces?: string): Promise<void>;
  /** Repeats the request that was refused or failed. */
  resend(): Promise<void>;
  /** Continues to read the answer to the last question, which may be in progress or have ended. */
  resume(): Promise<void>;
  /** Asks the service to end the answer, and keeps the part received. */
  stop(): void;
  /** Stops reading and storing permanently: somebody else is using the page, or the conversation was deleted. */
  close(): void;
  dismiss(): void;
}

export interface SessionEvents {
  /**
   * Called when the service has accepted the question and stores it in this conversation. The answer may still fail.
   */
  accepted(session: ChatSession, conversationId: string, question: string, answering: boolean): void;
  /**
   * Called when the answer has ended: it is complete, was stopped or broken off, or credit or tokens are used up.
   *
   * @param news the answer's cost and the remaining quota and credit, if the service reported them
   */
  ended(
    session: ChatSession,
    answer: ChatMessage | undefined,
    outcome: AnswerOutcome,
    news: AnswerNews | undefined,
  ): void;
  failed(session: ChatSession, failure: Failure): void;
}

/** Creates a session for a stored conversation or a new one. */
export function createSession(
  stored: { id: string; messages: ChatMessage[] } | undefined,
  events: SessionEvents,
): ChatSession {
  const parts = createSessionParts(stored);
  const { state, messages, patch, currentId, draft } = parts;
  const reading = createAnswerReading(currentId, messages.set);
  const exchange = createExchange(parts, reading, (...given) => events.accepted(session, ...given));
  const answering = createAnswering(parts, reading, exchange, {
    ended: (...given) => events.ended(session, ...given),
    failed: (failure) => events.failed(session, failure),
  });

  const session: ChatSession = {
    key: newMessageId(),
    messages,
    state,
    draft,
    async ask(given) {
      if (answering.isUnderWay) return;
      if (given !== undefined) draft().set((current) => putFirst(current, given));
      const current = draft().get();
      const question = (given ?? current.text).trim();
      if (question === "") return;
      const sentBefore = current.sent?.text === question ? current.sent.messageId : undefined;
      const replaces = current.replaces;
      await answering.perform({
        kind: "ask",
        text: question,
        messageId: sentBefore ?? newMessageId(),
        ...(replaces === undefined ? {} : { replaces }),
      });
    },
    async again(replaces) {
      await answering.perform({ kind: "again", ...(replaces === undefined ? {} : { replaces }) });
    },
    async resend() {
      const intent = answering.failedIntent;
      if (intent?.kind === "again") return session.again(intent.replaces);
      // Send the text in the composer, which may have been changed since the failure.
      await session.ask();
    },
    resume: answering.resume,
    stop: answering.stop,
    close: answering.close,
    dismiss: () => patch({ failure: null }),
  };
  return session;
}
