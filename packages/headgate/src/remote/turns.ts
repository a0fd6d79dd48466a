import type { Clock } from "../core/clock.ts";
import { type Ledger, type Question, type Ruling, unasked } from "../core/ruling.ts";
import { isWorker } from "../core/runtime.ts";
import type { Breaker } from "./breaker.ts";
import type { FirstContact } from "./first-contact.ts";
import type { Line } from "./line.ts";
import type { RefusalMemory } from "./refusal-memory/refusal-memory.ts";
import type { AskStore } from "./store-questions.ts";
import type { WithoutStore } from "./without-store.ts";

export interface TurnsOptions {
  readonly clock: Clock;
  readonly breaker: Breaker;
  readonly contact: FirstContact;
  readonly refusals: RefusalMemory;
  readonly line: Line;
  readonly ledger: Ledger;
  readonly withoutStore: WithoutStore;
  readonly ask: AskStore;
  /** Called when a request probes whether the store is back, with a promise of whether it was answered. */
  readonly onProbe: (answered: Promise<boolean>) => void;
}

/** Decides whether and when a question goes to the store, and what decides it otherwise. */
export function createTurns(
  options: TurnsOptions,
): (question: Question, peek: boolean) => Ruling | Promise<Ruling> {
  const { clock, breaker, contact, refusals, line, ledger, withoutStore, ask, onProbe } = options;

  /** @param isItsTurn whether it has waited in line. */
  function decide(
    question: Question,
    peek: boolean,
    hasWaited: boolean,
    isItsTurn: boolean,
  ): Ruling | Promise<Ruling> {
    // If no layer applies, there is nothing to ask.
    if (question.charges.length === 0) return unasked(question, ledger, clock.now());
    const connecting = contact.wait(question);
    if (connecting !== undefined) return connecting.then(() => decide(question, peek, hasWaited, false));
    const go = breaker.ask();
    if (go === "wait") return withoutStore.decide(question, peek);
    if (go === "probe") return probe(question, peek);
    const own = withoutStore.byOwnClaim(question, peek);
    if (own !== undefined) return own;

    // Knowledge about an id takes precedence over knowledge about the caller.
    const known =
      question.claim === undefined && refusals.size > 0
        ? refusals.find(question.charges, clock.now())
        : undefined;
    if (known === undefined) return askInTurn(question, peek, hasWaited, isItsTurn);
    if ("outcome" in known) return withoutStore.byMemory(question, known.outcome, known.places);
    if (hasWaited || isWorker) return askInTurn(question, peek, hasWaited, isItsTurn);
    if ("wait" in known) {
      return known.wait.then((answered) =>
        answered ? decide(question, peek, true, false) : withoutStore.decide(question, peek),
      );
    }
    const ruling = ask(question, peek);
    known.ask(ruling.then(isAnswered));
    return ruling;
  }

  function askInTurn(
    question: Question,
    peek: boolean,
    hasWaited: boolean,
    isItsTurn: boolean,
  ): Ruling | Promise<Ruling> {
    // In a Worker, no request can wait for another request's call.
    if (isWorker || isItsTurn || !line.isBusy) return ask(question, peek);
    const turn = line.stand((late) =>
      late ? withoutStore.decide(question, peek) : decide(question, peek, hasWaited, true),
    );
    return turn ?? withoutStore.decide(question, peek);
  }

  function probe(question: Question, peek: boolean): Promise<Ruling> {
    const ruling = ask(question, peek);
    onProbe(ruling.then(isAnswered));
    return ruling;
  }

  return (question, peek) => decide(question, peek, false, false);
}

function isAnswered({ decidedBy }: Ruling): boolean {
  return decidedBy === "store";
}
