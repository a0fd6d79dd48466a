import type { Clock } from "../core/clock.ts";
import { checkOutcome } from "../core/outcome.ts";
import { type Ledger, type Question, type Ruling, repeated, unasked } from "../core/ruling.ts";
import type { Charge, Outcome, Store } from "../core/store.ts";
import { createRefusalMemory } from "../remote/refusal-memory/refusal-memory.ts";
import { givesBack } from "../remote/telling.ts";
import { createTimeLimit, StoreTimeoutError } from "../remote/time-limit.ts";
import { type MemoryStore, memoryStore } from "../stores/memory/index.ts";

/** The store of a shadow. */
export interface ShadowStore {
  readonly ledger: Ledger;
  /** Asks the store. If it throws or rejects, nothing was decided. */
  ask(question: Question, peek: boolean): Ruling | Promise<Ruling>;
  reset(partitions: readonly Charge[]): void | Promise<void>;
}

/** The store was not asked, because it is down or too busy. This is not a failure of the shadow. */
export class NotAsked extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotAsked";
  }
}

/**
 * Creates the shadow's store if the live counts are in this process: a separate memory store of the same size, so that
 * the shadow takes no room in the live store.
 */
export function localShadowStore(live: Store, now: () => number): ShadowStore {
  const { size } = live as Partial<MemoryStore>;
  const store = memoryStore(size === undefined ? {} : { maxPartitions: size.maxPartitions });
  return {
    ledger: store,
    ask({ layers, charges, hold, policy }, peek) {
      const outcome = store.decide(charges, now(), peek, hold);
      return { layers, charges, hold, policy, outcome, ledger: store, decidedBy: "store" };
    },
    reset: (partitions) => store.reset(partitions, now()),
  };
}

/** The maximum number of a shadow's calls that may be under way at the same time. */
export const mostUnderWay = 512;

export interface SharedShadowStoreOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whether the store is answering live decisions. If not, the shadow does not call it either. */
  readonly isAnswering: () => boolean;
  /** Refunds everything that a late ruling charged. */
  readonly takeBack: (ruling: Ruling) => void;
}

/**
 * Uses the live store, with separate calls. Their failures do not count for the live circuit breaker, because an error
 * of the shadow must not open it.
 */
export function sharedShadowStore(options: SharedShadowStoreOptions): ShadowStore {
  const { store, clock, timeoutMs, isAnswering, takeBack } = options;
  const refusals = createRefusalMemory();
  const inTime = createTimeLimit(store.name, timeoutMs);
  let underWay = 0;

  async function bounded<Answer>(call: () => Answer | Promise<Answer>): Promise<Answer> {
    if (!isAnswering())
      throw new NotAsked(`The store "${store.name}" is not called while it does not answer.`);
    if (underWay >= mostUnderWay)
      throw new NotAsked(`${mostUnderWay} calls of a shadow are already under way.`);
    underWay += 1;
    try {
      return await inTime(Promise.resolve(call()));
    } finally {
      underWay -= 1;
    }
  }

  const ledger: Ledger = {
    async adjust(adjustments, now) {
      const givingBack = adjustments.filter(givesBack);
      refusals.forget(givingBack);
      const outcome = await bounded(() => store.adjust(adjustments, now));
      refusals.forget(givingBack);
      return outcome;
    },
  };

  async function asked(question: Question, peek: boolean): Promise<Ruling> {
    const { charges, hold } = question;
    const askedAt = clock.now();
    let answering: Outcome | Promise<Outcome> | undefined;
    const rulingOf = (outcome: Outcome): Ruling => ({
      ...question,
      outcome: checkOutcome(store.name, charges, outcome),
      ledger,
      decidedBy: "store",
    });
    try {
      const ruling = rulingOf(
        await bounded(() => {
          answering = store.decide(charges, askedAt, peek, peek ? undefined : hold);
          return answering;
        }),
      );
      const now = clock.now();
      if (ruling.outcome.admitted) refusals.contradict(charges, now);
      else refusals.remember(charges, ruling.outcome, askedAt, now);
      return ruling;
    } catch (error) {
      if (error instanceof StoreTimeoutError && !peek) {
        // The result comes too late to be used, so its charge is refunded.
        void Promise.resolve(answering).then(
          (outcome) => {
            if (outcome?.admitted) takeBack(rulingOf(outcome));
          },
          () => {},
        );
      }
      throw error;
    }
  }

  return {
    ledger,

    ask(question, peek) {
      const { charges } = question;
      if (charges.length === 0) return unasked(question, ledger, clock.now());
      const known = refusals.find(charges, clock.now());
      if (known === undefined || !("outcome" in known)) return asked(question, peek);
      return repeated(question, known.outcome, known.places, ledger);
    },

    async reset(partitions) {
      refusals.forget(partitions);
      await bounded(() => store.reset(partitions, clock.now()));
      refusals.forget(partitions);
    },
  };
}
