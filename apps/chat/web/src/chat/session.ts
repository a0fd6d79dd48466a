import type {
  AnswerMetadata,
  AnswerNews,
  ChatMessage,
  ConversationWithMessages,
  StopRequest,
  StopResponse,
} from "../../../contract.ts";
import { me } from "../account/me.ts";
import { type Observable, observable } from "../design/observable.ts";
import { api, problemOf } from "../service/api.ts";
import { client } from "../service/client.ts";
import { type Failure, failureOf, ServiceError } from "../service/failure.ts";
import { online } from "../service/online.ts";
import { tellTabs } from "../service/tabs.ts";
import { type AnswerSoFar, chunksOf, emptyAnswer, withChunk } from "./answer-stream.ts";
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

/** At most this often the thread changes while an answer comes, in milliseconds. */
const drawnEveryMs = 40;

/** How long a stopped answer may take to end before this page reads no further, in milliseconds. */
const stopMs = 2_000;

/** Between two tries to stop a question that the service may not have begun to answer, in milliseconds. */
const stopAgainMs = 250;

/** Before each try to go on reading after a lost connection, in milliseconds: a minute in all, as in a lift or a tunnel. */
const reconnectAfterMs = [300, 700, 1_500, 3_000, 5_000, 7_500, 10_000, 10_000, 10_000, 10_000];

/** A question on its way. A later one is another object, so that a late answer to this one is not taken for its own. */
interface TurnUnderWay {
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

/** Makes a session over a stored conversation, or a new one. */
export function createSession(
  stored: { id: string; messages: ChatMessage[] } | undefined,
  events: SessionEvents,
): ChatSession {
  const state = observable<SessionState>({ conversationId: stored?.id, phase: "idle", failure: null });
  const messages = observable<readonly ChatMessage[]>(stored?.messages ?? []);
  const patch = (changes: Partial<SessionState>) => state.set((current) => ({ ...current, ...changes }));
  const draft = () => draftOf(state.get().conversationId ?? newConversation);

  let turn: TurnUnderWay | null = null;
  let closed = false;
  let failedIntent: Intent | null = null;

  /** The service has the question: it leaves the composer, and stays in the thread. */
  function take(response: Response, own: TurnUnderWay): void {
    own.accepted = true;
    const { intent } = own;
    const from = draft();
    const known = state.get().conversationId;
    if (intent.kind === "ask") {
      from.set((current) => afterAccepted(current, intent.text));
      tellTabs({ kind: "sent", conversation: known ?? newConversation, text: intent.text });
    }
    // Whoever is answered is refused no more, in whichever tab.
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
      conversationId: state.get().conversationId,
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
    await readToEnd(own, response.body, thread);
  }

  /** Reads an answer, through lost connections. @throws what it says that went wrong, or `TypeError` */
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

  /** @returns what the answer goes on with; `undefined` where it has ended meanwhile, and is here */
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

  /** As `reconnect`, at once. @throws where the service cannot be reached, or has no answer */
  async function openAgain(own: TurnUnderWay): Promise<ReadableStream<Uint8Array> | undefined> {
    const id = encodeURIComponent(state.get().conversationId ?? "");
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

  /** Again until it is heard: the service may not have begun to answer. */
  async function askToStop(own: TurnUnderWay): Promise<void> {
    const overdue = setTimeout(() => own.abort.abort(), stopMs);
    while (turn === own && !own.abort.signal.aborted) {
      const conversationId = state.get().conversationId;
      const request: StopRequest = {
        message_id: own.messageId,
        ...(conversationId === undefined ? {} : { conversation_id: conversationId }),
      };
      const isHeard = await api<StopResponse>("/chat/stop", { method: "POST", body: request }).then(
        ({ stopped }) => stopped,
        () => false,
      );
      if (isHeard) return;
      await new Promise((resolve) => setTimeout(resolve, stopAgainMs));
    }
    clearTimeout(overdue);
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
      if (own.answer.message.parts.length > 0) messages.set([...thread, own.answer.message]);
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
    if (turn || question?.role !== "user" || state.get().conversationId === undefined) return;
    const own = newTurn({ kind: "again" }, question.id, true);
    turn = own;
    patch({ phase: "answering", failure: null });
    let error: unknown;
    let isUnanswered = false;
    try {
      const body = await openAgain(own).catch((caught: unknown) => {
        isUnanswered = true;
        throw caught;
      });
      if (body) await readToEnd(own, body, thread);
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
      void askToStop(own);
    },
    close() {
      closed = true;
      turn?.abort.abort();
    },
    dismiss: () => patch({ failure: null }),
  };
  return session;
}

function newTurn(intent: Intent, messageId: string, accepted: boolean): TurnUnderWay {
  const abort = new AbortController();
  return { intent, messageId, abort, isStopped: false, accepted, answer: emptyAnswer(newMessageId()) };
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
