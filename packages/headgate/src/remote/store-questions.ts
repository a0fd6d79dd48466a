import type { Clock } from "../core/clock.ts";
import { checkOutcome } from "../core/outcome.ts";
import { isInDoubt, type Ledger, type Question, type Ruling } from "../core/ruling.ts";
import type { Outcome, Store } from "../core/store.ts";
import type { Line } from "./line.ts";
import type { RefusalMemory } from "./refusal-memory/refusal-memory.ts";
import type { StoreCalls } from "./store-calls.ts";
import { StoreTimeoutError } from "./time-limit.ts";

export interface StoreQuestionsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly calls: StoreCalls;
  readonly line: Line;
  readonly refusals: RefusalMemory;
  readonly ledger: Ledger;
  /** Each question, before it is sent. */
  readonly onAsk: (question: Question, now: number) => void;
  /** Each question, once it is sent: other questions of the same turn may be sent with it. */
  readonly onAsked: ((question: Question) => void) | undefined;
  /** The store has answered in time. */
  readonly onAnswer: () => void;
  /** Decides without the store, because it has not answered. */
  readonly withoutStore: (question: Question, peek: boolean) => Ruling;
  /** Gives back what this ruling charged, or may have charged if it is `doubtful`: the request has been decided without it. */
  readonly takeBack: (ruling: Ruling) => void;
}

/** Sends a question to the store. Resolves with the store's answer or a decision made without it; never rejects. */
export type AskStore = (question: Question, peek: boolean) => Promise<Ruling>;

export function createStoreQuestions(options: StoreQuestionsOptions): AskStore {
  const { store, clock, calls, line, refusals, ledger, onAsk, onAsked, onAnswer, withoutStore, takeBack } =
    options;
  const { counters } = calls;

  // Every decision of a shared store passes through here. `ask` creates one promise, not one for each step.
  function ask(question: Question, peek: boolean): Promise<Ruling> {
    const { charges, hold, claim } = question;
    const askedAt = clock.now();
    let answering: Outcome | Promise<Outcome> | undefined;
    onAsk(question, askedAt);
    const enteredAt = line.entered();
    const ruling = calls.decided(
      charges,
      () => {
        answering = store.decide(charges, askedAt, peek, peek ? undefined : hold, peek ? undefined : claim);
        return answering;
      },
      (outcome): Ruling => {
        if (!peek) counters.byStore += 1;
        if (!outcome.admitted) {
          if (outcome.known === undefined) refusals.remember(charges, outcome, askedAt, clock.now());
        } else if (refusals.size > 0) {
          refusals.contradict(charges, clock.now());
        }
        line.left(true, enteredAt);
        onAnswer();
        return { ...question, outcome, ledger, decidedBy: "store" };
      },
      (error) => {
        // Calls expire together. The breaker must count all of them before the line sends more.
        queueMicrotask(() => line.left(false, enteredAt));
        const decided = withoutStore(question, peek);
        if (peek) return decided;
        const isLate = error instanceof StoreTimeoutError;
        if (isLate) void noteLate(question, answering);
        return isLate || isInDoubt(error) ? settled(question, decided) : decided;
      },
    );
    onAsked?.(question);
    return ruling;
  }

  /**
   * The store may have admitted this reservation. If the request has been admitted without the store, its reservation
   * takes over the charge, hold and claim. Otherwise they are cancelled.
   */
  function settled(question: Question, decided: Ruling): Ruling {
    const { hold } = question;
    // An extension is settled by its reservation, which reports totals.
    if (hold === undefined || hold.seq > 1) return decided;
    const doubtful = hold.rid;
    if (decided.outcome.admitted && decided.places === undefined) return { ...decided, doubtful };
    const outcome = { admitted: true, now: clock.now(), readings: [], marks: [] };
    takeBack({ ...question, outcome, ledger, decidedBy: "store", doubtful });
    return decided;
  }

  /** Without a reservation, a late charge is given back once it is known: the request has been decided without it. */
  async function noteLate(
    question: Question,
    answering: Outcome | Promise<Outcome> | undefined,
  ): Promise<void> {
    try {
      if (answering === undefined) return;
      const outcome = checkOutcome(store.name, question.charges, await answering);
      counters.lateAnswers += 1;
      if (outcome.admitted && question.hold === undefined)
        takeBack({ ...question, outcome, ledger, decidedBy: "store" });
    } catch {
      // The call failed late; it was already counted as a failure.
    }
  }

  return ask;
}
