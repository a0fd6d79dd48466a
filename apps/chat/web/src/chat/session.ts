import { Chat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import type { ChatMessage, MessageRequest } from "../../../contract.ts";
import { type Observable, observable } from "../design/observable.ts";
import { problemOf } from "../service/api.ts";
import { client } from "../service/client.ts";
import { type Failure, failureOf, ServiceError } from "../service/failure.ts";
import { online } from "../service/online.ts";
import {
  afterAccepted,
  type Draft,
  draftOf,
  giveBack,
  newConversation,
  putFirst,
  takeForSending,
} from "./drafts.ts";
import { isEmptyAnswer, newMessageId } from "./message.ts";
import { type Intent, requestFor, threadFor } from "./request.ts";

export interface SessionState {
  /** `undefined` until the service has stored the first question. */
  conversationId: string | undefined;
  /**
   * - `asking`: just sent; for a moment the page stays as it is, so that a quick refusal moves nothing.
   * - `waiting`: the question is in the thread, the answer has not begun.
   * - `answering`: the service has taken the question.
   */
  phase: "idle" | "asking" | "waiting" | "answering";
  failure: Failure | null;
}

/** One conversation on this page. It goes on answering while another one is looked at. */
export interface ChatSession {
  /** Tells sessions apart, also while they have no conversation. */
  readonly key: string;
  readonly chat: Chat<ChatMessage>;
  readonly state: Observable<SessionState>;
  /** The thread as it was before the question that is being asked, or was not taken: shown in place of the chat's own. */
  readonly before: Observable<readonly ChatMessage[] | null>;
  draft(): Observable<Draft>;
  /**
   * Sends what is in the composer; a given text is put there first, so that a refusal finds it there.
   * Does nothing when there is nothing to send or an answer is under way.
   */
  ask(text?: string): Promise<void>;
  /** Answers the last question again: in place of this answer, or because it has none. */
  again(replaces?: string): Promise<void>;
  /** Does once more what was refused or failed. */
  resend(): Promise<void>;
  stop(): Promise<void>;
  dismiss(): void;
}

export interface SessionEvents {
  /** The service took the question and stores it under this id; whether it will answer is another matter. */
  accepted(session: ChatSession, conversationId: string, question: string, answering: boolean): void;
  /** The answer has ended: whole, stopped or broken off. */
  ended(session: ChatSession, answer: ChatMessage | undefined, outcome: "whole" | "stopped" | "failed"): void;
  failed(session: ChatSession, failure: Failure): void;
}

/** How long a question stays in the composer before the thread shows it as on its way, in milliseconds. */
const verdictMs = 300;

/** Makes a session over a stored conversation, or a new one. */
export function createSession(
  stored: { id: string; messages: ChatMessage[] } | undefined,
  events: SessionEvents,
): ChatSession {
  const state = observable<SessionState>({ conversationId: stored?.id, phase: "idle", failure: null });
  const before = observable<readonly ChatMessage[] | null>(null);
  const patch = (changes: Partial<SessionState>) => state.set((current) => ({ ...current, ...changes }));
  const draft = () => draftOf(state.get().conversationId ?? newConversation);

  // The turn under way. A later turn has another object, so that a late answer to this one is not taken for its own.
  let turn: { intent: Intent; accepted: boolean; stopped: boolean; finish: () => void } | null = null;
  let failedIntent: Intent | null = null;

  const transport = new DefaultChatTransport<ChatMessage>({
    api: "/chat/message",
    fetch: async (input, init) => {
      const response = await client.fetch(input, init);
      if (response.ok) {
        take(response);
        return response;
      }
      // The model failed before its first word, and the service has stored the question all the same.
      if (turn?.intent.kind === "ask" && response.headers.has("x-conversation-id")) take(response);
      throw new ServiceError(response.status, await problemOf(response));
    },
    prepareSendMessagesRequest: ({ messages, body }) => ({
      body: requestFor(messages, {
        conversationId: state.get().conversationId,
        replaces: (body as Pick<MessageRequest, "replaces"> | undefined)?.replaces,
      }),
    }),
  });

  const chat = new Chat<ChatMessage>({
    messages: stored?.messages ?? [],
    transport,
    generateId: newMessageId,
    onFinish: ({ isAbort, isError, message }) => {
      if (!turn?.accepted) return;
      const answer = chat.messages.find(({ id }) => id === message.id);
      // An error that arrives as a part of the stream ends it like any other: the metadata tells.
      const failed = isError || answer?.metadata?.incomplete === "failed";
      if ((isAbort || isError) && answer) mark(answer.id, isAbort ? "stopped" : "failed");
      const current = chat.messages.find(({ id }) => id === message.id);
      events.ended(session, current, isAbort ? "stopped" : failed ? "failed" : "whole");
    },
  });

  function mark(answerId: string, incomplete: "stopped" | "failed"): void {
    chat.messages = chat.messages.flatMap((message) => {
      if (message.id !== answerId) return [message];
      // Nothing had come: there is no partial text to keep.
      if (isEmptyAnswer(message)) return [];
      return [{ ...message, metadata: { ...message.metadata, incomplete } }];
    });
  }

  /** The service has the question: it leaves the composer, and stays in the thread. */
  function take(response: Response): void {
    if (!turn || turn.accepted) return;
    turn.accepted = true;
    turn.finish();
    before.set(null);
    const from = draft();
    const known = state.get().conversationId;
    const { intent } = turn;
    if (intent.kind === "ask") from.set((current) => afterAccepted(current, intent.text));
    const conversationId = response.headers.get("x-conversation-id") ?? known;
    patch({ phase: "answering", conversationId });
    if (conversationId !== undefined && known === undefined) {
      // What was typed behind the question goes along into the conversation.
      draftOf(conversationId).set(from.get());
      from.set({ text: "" });
    }
    if (conversationId !== undefined) {
      const question = intent.kind === "ask" ? intent.text : "";
      events.accepted(session, conversationId, question, response.ok);
    }
  }

  async function perform(intent: Intent): Promise<void> {
    if (turn) return;
    const previous = chat.messages;
    const thread = threadFor(intent, previous);
    const question = thread.at(-1);
    if (question?.role !== "user") return;

    // For a moment nothing moves: most refusals arrive within it, and then nothing has to move back.
    before.set(previous);
    patch({ phase: "asking", failure: null });
    const timer = setTimeout(() => {
      before.set(null);
      patch({ phase: "waiting" });
      if (intent.kind === "ask") {
        draft().set((current) => takeForSending(current, { text: intent.text, messageId: intent.messageId }));
      }
    }, verdictMs);
    const own = { intent, accepted: false, stopped: false, finish: () => clearTimeout(timer) };
    turn = own;
    failedIntent = null;

    chat.messages = thread;
    try {
      await chat.regenerate({ body: intent.replaces === undefined ? {} : { replaces: intent.replaces } });
    } finally {
      own.finish();
      turn = null;
    }

    const error = chat.error;
    if (error) chat.clearError();
    if (!own.accepted) {
      chat.messages = previous;
      // Shown until the next question: what renders the chat hears of its messages a moment later.
      before.set(previous);
      draft().set((current) => noteSent(giveBack(current), intent, own.stopped || error !== undefined));
    }
    if (!error) {
      patch({ phase: "idle" });
      return;
    }
    failedIntent = own.accepted ? answerAgain(chat.messages) : intent;
    const failure = failureOf(error, { online: online.get(), begun: own.accepted });
    patch({ phase: "idle", failure });
    events.failed(session, failure);
  }

  const session: ChatSession = {
    key: newMessageId(),
    chat,
    state,
    before,
    draft,
    async ask(given) {
      if (turn) return;
      if (given !== undefined) draft().set((current) => putFirst(current, given));
      const current = draft().get();
      const question = (given ?? current.text).trim();
      if (question === "") return;
      const sentBefore = current.sent?.text === question ? current.sent.messageId : undefined;
      const replaces = current.replaces;
      await perform({
        kind: "ask",
        text: question,
        messageId: sentBefore ?? newMessageId(),
        ...(replaces === undefined ? {} : { replaces }),
      });
    },
    async again(replaces) {
      await perform({ kind: "again", ...(replaces === undefined ? {} : { replaces }) });
    },
    async resend() {
      const intent = failedIntent;
      if (intent?.kind === "again") return session.again(intent.replaces);
      // The composer has the last word: the text may have been changed since.
      await session.ask();
    },
    async stop() {
      if (!turn) return;
      turn.stopped = true;
      await chat.stop();
    },
    dismiss: () => patch({ failure: null }),
  };
  return session;
}

/** An answer that broke off is asked for again in its own place; one that never began, by its question. */
function answerAgain(messages: readonly ChatMessage[]): Intent {
  const last = messages.at(-1);
  return last?.role === "assistant" ? { kind: "again", replaces: last.id } : { kind: "again" };
}

/** Remembers under which id a text was sent, in case the service has stored it without our hearing so. */
function noteSent(draft: Draft, intent: Intent, maybeStored: boolean): Draft {
  if (intent.kind !== "ask" || !maybeStored) return draft;
  return { ...draft, sent: { text: intent.text, messageId: intent.messageId } };
}
