import type { AnswerMetadata, AnswerNews, ChatMessage } from "../../../contract.ts";
import { type Failure, failureOf } from "../service/failure.ts";
import { online } from "../service/online.ts";
import type { AnswerReading } from "./answer-reading.ts";
import { type Draft, giveBack, takeForSending } from "./drafts.ts";
import type { Exchange } from "./exchange.ts";
import { isEmptyAnswer } from "./message.ts";
import { type Intent, threadFor } from "./request.ts";
import type { SessionParts } from "./session-state.ts";
import { askToStop } from "./stopping.ts";
import { newTurn, type TurnUnderWay } from "./turn-under-way.ts";

export type AnswerOutcome = "whole" | NonNullable<AnswerMetadata["incomplete"]>;

/** Reports what became of a question. */
export interface AnsweringEvents {
  ended(answer: ChatMessage | undefined, outcome: AnswerOutcome, news: AnswerNews | undefined): void;
  failed(failure: Failure): void;
}

/** Answers the questions of one session, one at a time. */
export interface Answering {
  readonly isUnderWay: boolean;
  /** What was refused or failed last, until the next question. */
  readonly failedIntent: Intent | null;
  /** Does nothing if an answer is in progress, or there is no question. */
  perform(intent: Intent): Promise<void>;
  resume(): Promise<void>;
  stop(): void;
  close(): void;
}

/** How long a question stays in the composer before the thread shows it, in milliseconds. */
const verdictMs = 300;

export function createAnswering(
  { messages, patch, currentId, draft }: SessionParts,
  reading: AnswerReading,
  exchange: Exchange,
  events: AnsweringEvents,
): Answering {
  let turn: TurnUnderWay | null = null;
  let closed = false;
  let failedIntent: Intent | null = null;

  function endAnswer(own: TurnUnderWay, thread: readonly ChatMessage[], failed: boolean): void {
    const { answer, outcome } = endOf(own, failed);
    messages.set(answer ? [...thread, answer] : thread);
    events.ended(answer, outcome, own.news);
  }

  async function perform(intent: Intent): Promise<void> {
    if (turn) return;
    const previous = messages.get();
    const thread = threadFor(intent, previous);
    if (thread.at(-1)?.role !== "user") return;

    const own = newTurn(intent, thread.at(-1)?.id ?? "", false);
    turn = own;
    failedIntent = null;
    // Change nothing for a moment: most refusals arrive within it, and then nothing has to move back.
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
    events.failed(failure);
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

  return {
    get isUnderWay() {
      return turn !== null;
    },
    get failedIntent() {
      return failedIntent;
    },
    perform,
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
  };
}

/** Marks an incomplete answer, or leaves it out if it is empty. */
function endOf(
  own: TurnUnderWay,
  failed: boolean,
): { answer: ChatMessage | undefined; outcome: AnswerOutcome } {
  const { message, isComplete } = own.answer;
  const cutOff = own.isStopped ? "stopped" : failed ? "failed" : undefined;
  const incomplete = message.metadata?.incomplete ?? (isComplete && !failed ? undefined : cutOff);
  const isWorthKeeping = incomplete === undefined || !isEmptyAnswer(message);
  const answer = incomplete ? { ...message, metadata: { ...message.metadata, incomplete } } : message;
  return { answer: isWorthKeeping ? answer : undefined, outcome: incomplete ?? "whole" };
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
