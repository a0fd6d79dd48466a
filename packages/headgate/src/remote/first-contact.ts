import { type LoadingStore, load } from "../core/loading.ts";
import type { Question } from "../core/ruling.ts";
import { isWorker } from "../core/runtime.ts";
import { isNotInstalled } from "./readiness.ts";
import { createTimeLimit } from "./time-limit.ts";

/** How many decisions wait for the first answer at most; beyond that, the outage policies decide. */
export const mostAwaiting = 10_000;
const firstPauseMs = 25;
const longestPauseMs = 500;

/**
 * A store that has never answered is not down: it is still being connected to, or is starting together with this
 * process. The first decisions wait for it, once a process, and for no longer than the connect time limit.
 */
export interface FirstContact {
  /**
   * `undefined` where there is nothing to wait for any more, or too many wait already. Resolves once the store has
   * answered, or the time is over.
   */
  wait(question: Question): Promise<void> | undefined;
  /** The store has answered, or is not to be waited for any longer. */
  end(): void;
}

/**
 * @param store one without `check` cannot say whether it is connected: it is not waited for.
 * @param connectMs by this machine's own monotonic time, once the store's code is loaded; 0 waits for nothing. To load it may
 *   take as long again.
 * @param ask asks the store something that changes nothing.
 */
export function createFirstContact(
  store: LoadingStore,
  connectMs: number,
  ask: (question: Question) => Promise<void>,
): FirstContact {
  let isOver = store.check === undefined || connectMs === 0;
  let awaiting = 0;
  let contact: Promise<void> | undefined;
  let wake: (() => void) | undefined;

  async function make(question: Question): Promise<void> {
    // On a busy machine this may take longer than to connect, and is no delay of the store's. Asking fails in the same way.
    if (store[load] !== undefined)
      await createTimeLimit(store.name, connectMs)(store[load]()).catch(() => {});
    const giveUpAt = performance.now() + connectMs;
    for (let pauseMs = firstPauseMs; !isOver; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const leftMs = Math.ceil(giveUpAt - performance.now());
      if (leftMs <= 0) break;
      try {
        await createTimeLimit(store.name, leftMs)(ask(question));
        break;
      } catch (error) {
        // The next decision gets the error, and reports it.
        if (isFinal(error)) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, Math.min(pauseMs, Math.max(0, giveUpAt - performance.now())));
        });
      }
    }
    isOver = true;
  }

  return {
    wait(question) {
      if (isOver || awaiting >= mostAwaiting) return undefined;
      // In a Worker each request waits for its own.
      if (isWorker) return make(question);
      awaiting += 1;
      contact ??= make(question);
      return contact;
    },

    end() {
      isOver = true;
      wake?.();
    },
  };
}

/** The store says itself that it cannot decide, or its driver is not installed: waiting does not help. */
function isFinal(error: unknown): boolean {
  return (error as { answered?: unknown } | null)?.answered === true || isNotInstalled(error);
}
