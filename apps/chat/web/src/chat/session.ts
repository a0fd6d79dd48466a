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
  /** The thread; while an answer comes, a new one every few hundredths of a second. */
  readonly messages: Observable<readonly ChatMessage[]>;
  readonly state: Observable<SessionState>;
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
  /** Goes on reading an answer that the service is giving, or has given meanwhile, to the last question. */
  resume(): Promise<void>;
  /** Has the service end the answer; what it has said is kept. */
  stop(): void;
  /** Reads no further, for good: somebody else is using the page, and nothing of this is written down any more. */
  close(): void;
  dismiss(): void;
}

export interface SessionEvents {
  /** The service took the question and stores it under this id; whether it will answer is another matter. */
  accepted(session: ChatSession, conversationId: string, question: string, answering: boolean): void;
  /**
   * The answer has ended: whole, stopped, broken off, or because credit is used up.
   *
   * @param news what it has cost and what remains, where the service has said so
   */
  ended(
    session: ChatSession,
    answer: ChatMessage | undefined,
    outcome: "whole" | NonNullable<AnswerMetadata["incomplete"]>,
    news: AnswerNews | undefined,
  ): void;
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
  const messages = observable<readonly ChatMessage[]>(stored?.messages ?? []);
  const patch = (changes: Partial<SessionState>) => state.set((current) => ({ ...current, ...changes }));
  const currentId = () => state.get().conversationId;
  const draft = () => draftOf(currentId() ?? newConversation);
  const reading = createAnswerReading(currentId, messages.set);

  let turn: TurnUnderWay | null = null;
  let closed = false;
  let failedIntent: Intent | null = null;

  /** The service has the question: it leaves the composer, and stays in the thread. */
  function take(response: Response, own: TurnUnderWay): void {
    own.accepted = true;
    const { intent } = own;
    const from = draft();
    const known = currentId();
    if (intent.kind === "ask") {
      from.set((current) => afterAccepted(current, intent.text));
      tellTabs({ kind: "sent", conversation: known ?? newConversation, text: intent.text });
    }
    // An answered caller is no longer refused, in any tab.
    if (client.refusal()) client.clear();
    const conversationId = response.headers.get("x-conversation-id") ?? known;
    patch({ phase: "answering", conversationId });
    if (conversationId === undefined) return;
    if (known === undefined) {
      // What was typed behind the question goes along into the conversation.
      draftOf(conversationId).set(from.get());
      from.set({ text: "" });
    }
    events.accepted(session, conversationId, intent.kind === "ask" ? intent.text : "", response.ok);
  }

  /** Sends the thread, and reads the answer into it. @throws what came between */
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
    // The model failed before its first word, and the service has stored the question all the same.
    const isStored = own.intent.kind === "ask" && response.headers.has("x-conversation-id");
    if (response.ok || isStored) {
      messages.set(thread);
      take(response, own);
    }
    if (!response.ok || !response.body) throw new ServiceError(response.status, await problemOf(response));
    await reading.readToEnd(own, response.body, thread);
  }

  /** Marks an answer that did not come whole; one of which nothing had come is taken away. */
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
    // For a moment nothing moves: most refusals arrive within it, and then nothing has to move back.
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
    // Nobody answers it, or nobody can be asked: the question offers to be answered.
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
      // The composer has the last word: the text may have been changed since.
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
