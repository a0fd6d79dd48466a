import type { Clock } from "../core/clock.ts";
import type { OutagePolicy } from "../core/outage-policy.ts";
import { checkOutcome } from "../core/outcome.ts";
import type { Question, Ruling } from "../core/ruling.ts";
import type { Charge, Outcome, Store } from "../core/store.ts";
import { decideByPolicies, LocalLedger } from "../remote/index.ts";
import { MemoryOutcome } from "../stores/memory/outcome.ts";

export interface OwnStoreOptions {
  readonly store: Store;
  /** Whether the user made the store: its answers are checked. */
  readonly isForeign: boolean;
  readonly clock: Clock;
  readonly outageOf: (layer: string) => OutagePolicy;
  readonly report: (error: unknown) => void;
}

/** A store of this process. It answers at once and needs no guard, but it may fail all the same. */
export interface OwnStore {
  decide(question: Question, peek: boolean): Ruling | Promise<Ruling>;
  reset(charges: readonly Charge[]): void | Promise<void>;
}

/** After a failure of a store of this process, ms: it may answer again with the next call. */
const retryMs = 1000;

export function createOwnStore({ store, isForeign, clock, outageOf, report }: OwnStoreOptions): OwnStore {
  /** Counts where the store fails. Made when it is first needed. */
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
