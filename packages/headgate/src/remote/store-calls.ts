import { inBackground } from "../core/background.ts";
import { UnreadableStateError } from "../core/errors.ts";
import { checkOutcome } from "../core/outcome.ts";
import { isInDoubt } from "../core/ruling.ts";
import type { Adjustment, Charge, Outcome, Store } from "../core/store.ts";
import type { Breaker } from "./breaker.ts";
import type { Slowness } from "./slowness.ts";
import { createCounters } from "./status.ts";
import { createTimeLimit, StoreTimeoutError, type TimeLimit } from "./time-limit.ts";

/** The store was left alone: nothing was applied. */
export class StoreLeftAlone extends Error {
  constructor(store: string) {
    super(`The store "${store}" is not asked while it does not answer.`);
    this.name = "StoreLeftAlone";
  }
}

/** A change that may have been made: the store failed too late to tell. */
export class ChangeInDoubt extends Error {
  readonly inDoubt = true;

  constructor(cause: unknown) {
    super("It is not known whether the store made this change.", { cause });
    this.name = "ChangeInDoubt";
  }
}

/** Some clients never settle a call whose connection broke: after so long, ms, nothing will be heard of it. */
const longestLateMs = 10_000;

export interface StoreCallsOptions {
  readonly store: Store;
  readonly breaker: Breaker;
  readonly slowness: Slowness;
  /** How long a call may take, ms. */
  readonly timeoutMs: number;
  /** The first failure in a row. */
  readonly report: (error: unknown) => void;
  readonly onFailure: () => void;
}

/** Every call to the store goes through here: bounded, counted, and noted by the breaker. */
export interface StoreCalls {
  readonly counters: ReturnType<typeof createCounters>;
  /**
   * Rejects with what the call failed with, or with a `StoreTimeoutError`.
   *
   * @param within another time limit than that of decisions.
   */
  bounded<Answer>(call: () => Answer | Promise<Answer>, within?: TimeLimit): Promise<Answer>;
  /**
   * Asks for a decision and calls `answered` with the store's answer, or `otherwise` with the error. An invalid answer is an
   * error too.
   */
  decided<Result>(
    charges: readonly Charge[],
    call: () => Outcome | Promise<Outcome>,
    answered: (outcome: Outcome) => Result,
    otherwise: (error: unknown) => Result,
  ): Promise<Result>;
  /**
   * Settles when it is known what became of the change, up to ten seconds late; a failure is noted in time. Rejects
   * with an error that is `inDoubt` where it may have been made.
   */
  change(adjustments: readonly Adjustment[], now: number): Promise<Outcome>;
}

export function createStoreCalls(options: StoreCallsOptions): StoreCalls {
  const { store, breaker, slowness, timeoutMs, report, onFailure } = options;
  const counters = createCounters();
  const inTime = createTimeLimit(store.name, timeoutMs);

  /** What was reported of states that cannot be read: once for each layer. */
  const unreadable = new Set<string>();

  function failed(error: unknown, call?: Promise<unknown>): void {
    counters.failures += 1;
    slowness.failed(error, call);
    if (error instanceof UnreadableStateError) {
      // The store has answered: one caller's state must not take it from all others.
      breaker.succeeded();
      if (!unreadable.has(error.message)) report(error);
      unreadable.add(error.message);
      return;
    }
    if (error instanceof StoreTimeoutError) counters.timeouts += 1;
    // One report for each row of failures. That the store is then left alone is an event of its own.
    if (breaker.failures === 0) report(error);
    breaker.failed(error);
    onFailure();
  }

  // Not `async`, as every decision passes here: it allocates less.
  function bounded<Answer>(
    call: () => Answer | Promise<Answer>,
    within: TimeLimit = inTime,
  ): Promise<Answer> {
    let answer: Answer | Promise<Answer>;
    slowness.asked();
    try {
      answer = call();
    } catch (error) {
      failed(error);
      return Promise.reject(error);
    }
    if (!(answer instanceof Promise)) return Promise.resolve(succeeded(answer));
    const asked = answer;
    return within(asked, succeeded, (error) => {
      failed(error, asked);
      throw error;
    });
  }

  function succeeded<Answer>(answer: Answer): Answer {
    slowness.heard();
    breaker.succeeded();
    return answer;
  }

  return {
    counters,
    bounded,

    decided(charges, call, answered, otherwise) {
      let answer: Outcome | Promise<Outcome> | undefined;
      const fail = (error: unknown) => {
        failed(error, answer instanceof Promise ? answer : undefined);
        return otherwise(error);
      };
      const succeed = (outcome: Outcome) => {
        try {
          checkOutcome(store.name, charges, outcome);
        } catch (error) {
          return fail(error);
        }
        slowness.heard();
        breaker.succeeded();
        return answered(outcome);
      };
      slowness.asked();
      try {
        answer = call();
      } catch (error) {
        return Promise.resolve(fail(error));
      }
      return answer instanceof Promise ? inTime(answer, succeed, fail) : Promise.resolve(succeed(answer));
    },

    async change(adjustments, now) {
      let whole: Outcome | Promise<Outcome> | undefined;
      try {
        return await bounded(() => {
          whole = store.adjust(adjustments, now);
          return whole;
        });
      } catch (error) {
        if (!(error instanceof StoreTimeoutError) || whole === undefined) {
          if (isInDoubt(error)) counters.inDoubt += 1;
          throw error;
        }
        try {
          const outcome = await heardOf(whole);
          counters.lateAnswers += 1;
          return outcome;
        } catch (reason) {
          counters.inDoubt += 1;
          throw new ChangeInDoubt(reason);
        }
      }
    },
  };
}

/** Whether a call succeeds. */
export function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

/** An answer that is late already. Waiting for it does not keep a process alive that is otherwise done. */
function heardOf<Answer>(answer: Answer | Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const cancel = inBackground(longestLateMs, () =>
      reject(new Error(`The store sent no answer for ${longestLateMs} ms.`)),
    );
    Promise.resolve(answer).then(resolve, reject).finally(cancel);
  });
}
