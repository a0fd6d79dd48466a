import { inBackground } from "../core/background.ts";
import { UnreadableStateError } from "../core/errors.ts";
import { checkOutcome } from "../core/outcome.ts";
import { isInDoubt } from "../core/ruling.ts";
import type { Adjustment, Charge, Outcome, Store } from "../core/store.ts";
import type { Breaker } from "./breaker.ts";
import type { Slowness } from "./slowness.ts";
import { createCounters } from "./status.ts";
import { createTimeLimit, StoreTimeoutError, type TimeLimit } from "./time-limit.ts";

/** The store was not called: nothing was applied. */
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

/** Some clients never settle a call whose connection broke. After this time, ms, an answer is not expected any more. */
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

/** Every call to the store goes through here: it gets a time limit, is counted, and is reported to the breaker. */
export interface StoreCalls {
  readonly counters: ReturnType<typeof createCounters>;
  /** See `TimeLimit`: that of these calls. */
  attended(): number;
  /**
   * Rejects with the error of the call, or with a `StoreTimeoutError`.
   *
   * @param within a time limit other than that of decisions.
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
   * Settles when the result of the change is known, up to ten seconds late; a failure is reported to the breaker in time.
   * Rejects with an error that is `inDoubt` if the change may have been made.
   */
  change(adjustments: readonly Adjustment[], now: number): Promise<Outcome>;
  /** Resolves once no change is under way, or after the time limit. */
  settled(): Promise<void>;
}

export function createStoreCalls(options: StoreCallsOptions): StoreCalls {
  const { store, breaker, slowness, timeoutMs, report, onFailure } = options;
  const counters = createCounters();
  const inTime = createTimeLimit(store.name, timeoutMs);
  let changing = 0;
  let onSettled: (() => void) | undefined;

  /** Reports already made about unreadable states: one for each layer. */
  const unreadable = new Set<string>();

  function failed(error: unknown, call?: Promise<unknown>): void {
    counters.failures += 1;
    slowness.failed(error, call);
    if (error instanceof UnreadableStateError) {
      // The store has answered: one caller's unreadable state must not open the breaker for all others.
      breaker.succeeded();
      if (!unreadable.has(error.message)) report(error);
      unreadable.add(error.message);
      return;
    }
    if (error instanceof StoreTimeoutError) counters.timeouts += 1;
    // One report for each row of failures. The breaker has its own event when it opens.
    if (breaker.failures === 0) report(error);
    breaker.failed(error);
    onFailure();
  }

  // Not `async`, to allocate less: every decision passes here.
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
    attended: inTime.attended,
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
      changing += 1;
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
      } finally {
        changing -= 1;
        if (changing === 0) onSettled?.();
      }
    },

    async settled() {
      if (changing === 0) return;
      const settling = new Promise<void>((resolve) => {
        onSettled = resolve;
      });
      await createTimeLimit(store.name, timeoutMs)(settling).catch(() => {});
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

/** An answer that is already late. Waiting for it does not keep the process alive. */
function heardOf<Answer>(answer: Answer | Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const cancel = inBackground(longestLateMs, () =>
      reject(new Error(`The store sent no answer for ${longestLateMs} ms.`)),
    );
    Promise.resolve(answer).then(resolve, reject).finally(cancel);
  });
}
