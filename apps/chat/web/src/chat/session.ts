import type { AnswerMetadata, AnswerNews, ChatMessage } from "../../../contract.ts";
import { me } from "../account/me.ts";
import { type Observable, observable } from "../design/observable.ts";
import { problemOf } from "../service/api.ts";
import { client } from "../service/client.ts";
import { type Failure, failureOf, ServiceError } from "../service/failure.ts";
import { online } from "../service/online.ts";
import { tellTabs } from "../service/tabs.ts";
import { createAnswerReading } from "./answer-reading.ts";
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
import { chosenModel, modelToName } from "./model-choice.ts";
import { type Intent, requestFor, threadFor } from "./request.ts";
import { askToStop } from "./stopping.ts";
import { newTurn, type TurnUnderWay } from "./turn-under-way.ts";

export interface SessionState {
  /** The conversation's id; `undefined` until the service has stored the first question. */
  conversationId: string | undefined;
  /**
   * - `asking`: the question was just sent. The page does not change for a moment, so that a quick refusal moves
   *   nothing.
   * - `waiting`: the question is in the thread, the answer has not begun.
   * - `answering`: the service has taken the question.
   */
  phase: "idle" | "asking" | "waiting" | "answering";
  failure: Failure | null;
}

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
  /** Stops reading and storing permanently, because somebody else is using the page. */
  close(): void;
  dismiss(): void;
}

export interface SessionEvents {
  /**
   * Called when the service has accepted the question and stores it in this conversation. The answer may still fail.
   */
  accepted(session: ChatSession, conversationId: string, question: string, answering: boolean): void;
  /**
   * Called when the answer has ended: complete, stopped, broken off, or because credit or tokens are used up.
   *
   * @param news the answer's cost and the remaining quota and credit, if the service reported them
   */
  ended(
    session: ChatSession,
    answer: ChatMessage | undefined,
    outcome: "whole" | NonNullable<AnswerMetadata["incomplete"]>,
    news: AnswerNews | undefined,
  ): void;
  failed(session: ChatSession, failure: Failure): void;
}

/** How long a question stays in the composer before the thread shows it, in milliseconds. */
const verdictMs = 300;

/** Creates a session for a stored conversation or a new one. */
export function createSession(
  stored: { id: string; messages: ChatMessage[] } | undefined,
  events: SessionEvents,
): ChatSession {
  const state = observable<SessionState>({ conversationId: stored?.id, phase: "idle", failure: null });
  const messages = observable<readonly ChatMessage[]>(stored?.messages ?? []);
  const patch = (changes: Partial<SessionState>) => state.set((current) => ({ ...current, ...changes }));
  const currentId = () => state.get().conversationId;
  const draft = () => draftOf(currentId() ?? newConversation);
  const reading = createAnswerReading(currentId, messages.set);

  let turn: TurnUnderWay | null = null;
  let closed = false;
  let failedIntent: Intent | null = null;

  /** Called when the service has accepted the question: it leaves the composer and stays in the thread. */
  function take(response: Response, own: TurnUnderWay): void {
    own.accepted = true;
    const { intent } = own;
    const from = draft();
    const known = currentId();
    if (intent.kind === "ask") {
      from.set((current) => afterAccepted(current, intent.text));
      tellTabs({ kind: "sent", conversation: known ?? newConversation, text: intent.text });
    }
    // A caller who gets an answer is no longer refused, in any tab.
    if (client.refusal()) client.clear();
    const conversationId = response.headers.get("x-conversation-id") ?? known;
    patch({ phase: "answering", conversationId });
    if (conversationId === undefined) return;
    if (known === undefined) {
      // Text typed after the question moves to the conversation's draft.
      draftOf(conversationId).set(from.get());
      from.set({ text: "" });
    }
    events.accepted(session, conversationId, intent.kind === "ask" ? intent.text : "", response.ok);
  }

  /** Sends the thread, and reads the answer into it. Throws the failure. */
  async function exchange(own: TurnUnderWay, thread: readonly ChatMessage[]): Promise<void> {
    const body = requestFor(thread, {
      conversationId: currentId(),
      replaces: own.intent.replaces,
      model: modelToName(me.get(), chosenModel.get()),
    });
    const response = await client.fetch("/chat/message", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: own.abort.signal,
    });
    // The model failed before its first word, but the service has stored the question.
    const isStored = own.intent.kind === "ask" && response.headers.has("x-conversation-id");
    if (response.ok || isStored) {
      messages.set(thread);
      take(response, own);
    }
    if (!response.ok || !response.body) throw new ServiceError(response.status, await problemOf(response));
    await reading.readToEnd(own, response.body, thread);
  }

  /** Marks an incomplete answer, or removes it if it is empty. */
  function endAnswer(own: TurnUnderWay, thread: readonly ChatMessage[], failed: boolean): void {
    const { message, isComplete } = own.answer;
    const cutOff = own.isStopped ? "stopped" : failed ? "failed" : undefined;
    const incomplete = message.metadata?.incomplete ?? (isComplete && !failed ? undefined : cutOff);
    const isWorthKeeping = incomplete === undefined || !isEmptyAnswer(message);
    const answer = incomplete ? { ...message, metadata: { ...message.metadata, incomplete } } : message;
    messages.set(isWorthKeeping ? [...thread, answer] : thread);
    events.ended(session, isWorthKeeping ? answer : undefined, incomplete ?? "whole", own.news);
  }

  async function perform(intent: Intent): Promise<void> {
    if (turn) return;
    const previous = messages.get();
    const thread = threadFor(intent, previous);
    if (thread.at(-1)?.role !== "user") return;

    const own = newTurn(intent, thread.at(-1)?.id ?? "", false);
    turn = own;
    failedIntent = null;
    // Change nothing for a moment: most refusals arrive in this time, and then nothing has to move back.
    patch({ phase: "asking", failure: null });
    const timer = setTimeout(() => {
      if (own.accepted) return;
      messages.set(thread);
      patch({ phase: "waiting" });
      if (intent.kind === "ask") {
        draft().set((current) => takeForSending(current, { text: intent.text, messageId: intent.messageId }));
      }
    }, verdictMs);

    let error: unknown;
    try {
      await exchange(own, thread);
    } catch (caught) {
      error = caught;
    }
    clearTimeout(timer);
    turn = null;
    if (closed) return;
    const stopped = own.isStopped;
    if (own.accepted) endAnswer(own, thread, error !== undefined);
    else {
      messages.set(previous);
      draft().set((current) => noteSent(giveBack(current), intent, stopped || error !== undefined));
    }
    if (error === undefined || stopped) {
      patch({ phase: "idle" });
      return;
    }
    fail(error, own);
  }

  function fail(error: unknown, own: TurnUnderWay): void {
    failedIntent = own.accepted ? answerAgain(messages.get()) : own.intent;
    const failure = failureOf(error, { online: online.get(), begun: own.accepted });
    patch({ phase: "idle", failure });
    events.failed(session, failure);
  }

  async function resume(): Promise<void> {
    const thread = messages.get();
    const question = thread.at(-1);
    if (turn || question?.role !== "user" || currentId() === undefined) return;
    const own = newTurn({ kind: "again" }, question.id, true);
    turn = own;
    patch({ phase: "answering", failure: null });
    let error: unknown;
    let isUnanswered = false;
    try {
      const body = await reading.openAgain(own).catch((caught: unknown) => {
        isUnanswered = true;
        throw caught;
      });
      if (body) await reading.readToEnd(own, body, thread);
    } catch (caught) {
      error = caught;
    }
    turn = null;
    if (closed) return;
    // No answer is in progress, or the service cannot be reached: offer to answer the question.
    if (isUnanswered) return patch({ phase: "idle" });
    endAnswer(own, thread, error !== undefined);
    if (error === undefined || own.isStopped) patch({ phase: "idle" });
    else fail(error, own);
  }

  const session: ChatSession = {
    key: newMessageId(),
    messages,
    state,
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
      // Send the text in the composer, which may have been changed since the failure.
      await session.ask();
    },
    resume,
    stop() {
      const own = turn;
      if (!own || own.isStopped) return;
      own.isStopped = true;
      void askToStop(own, currentId, () => turn === own);
    },
    close() {
      closed = true;
      turn?.abort.abort();
    },
    dismiss: () => patch({ failure: null }),
  };
  return session;
}

/** Retries a broken answer in its place; if there is none, sends the question again. */
function answerAgain(messages: readonly ChatMessage[]): Intent {
  const last = messages.at(-1);
  return last?.role === "assistant" ? { kind: "again", replaces: last.id } : { kind: "again" };
}

/** Records the id under which a text was sent, in case the service has stored it but its response was lost. */
function noteSent(draft: Draft, intent: Intent, maybeStored: boolean): Draft {
  if (intent.kind !== "ask" || !maybeStored) return draft;
  return { ...draft, sent: { text: intent.text, messageId: intent.messageId } };
}
