import type { Clock } from "../core/clock.ts";
import type { OutagePolicy } from "../core/outage-policy.ts";
import { checkOutcome } from "../core/outcome.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import type { Charge, Outcome, Store } from "../core/store.ts";
import { decideByPolicies, LocalLedger } from "../remote/index.ts";
import { MemoryOutcome } from "../stores/memory/outcome.ts";

export interface OwnStoreOptions {
  readonly store: Store;
  /** Whether the user supplied the store. Its answers are then checked. */
  readonly isForeign: boolean;
  readonly clock: Clock;
  readonly outageOf: (layer: string) => OutagePolicy;
  readonly report: (error: unknown) => void;
}

/** Asks a store that runs in this process. Such a store answers at once and needs no guard, but it can still fail. */
export interface OwnStore {
  decide(question: Question, peek: boolean): Ruling | Promise<Ruling>;
  reset(charges: readonly Charge[]): void | Promise<void>;
}

/** The wait to report when the store failed and the outage policy refuses, ms. */
const retryMs = 1000;

export function createOwnStore({ store, isForeign, clock, outageOf, report }: OwnStoreOptions): OwnStore {
  /** Counts while the store fails. Created on first use. */
  let alone: LocalLedger | undefined;

  function decideAlone(question: Question, peek: boolean, now: number, error: unknown): Ruling {
    report(error);
    alone ??= new LocalLedger(undefined);
    return decideByPolicies(question, outageOf, alone, 1, now, peek, retryMs);
  }

  async function decideLater(
    question: Question,
    peek: boolean,
    now: number,
    answer: Promise<Outcome>,
  ): Promise<Ruling> {
    try {
      const outcome = checkOutcome(store.name, question.charges, await answer);
      return { ...question, outcome, ledger: store, decidedBy: "store" };
    } catch (error) {
      return decideAlone(question, peek, now, error);
    }
  }

  return {
    decide(question, peek) {
      const { layers, charges, hold, claim } = question;
      const now = clock.now();
      let outcome: Outcome | Promise<Outcome>;
      try {
        outcome = store.decide(charges, now, peek, hold, peek ? undefined : claim);
        if (!(outcome instanceof Promise) && isForeign && !MemoryOutcome.isTo(charges, outcome))
          checkOutcome(store.name, charges, outcome);
      } catch (error) {
        return decideAlone(question, peek, now, error);
      }
      if (outcome instanceof Promise) return decideLater(question, peek, now, outcome);
      return { layers, charges, hold, claim, outcome, ledger: store, decidedBy: "store" };
    },

    reset(charges) {
      const now = clock.now();
      alone?.reset(charges, now);
      return store.reset(charges, now);
    },
  };
}
