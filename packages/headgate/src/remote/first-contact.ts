import { type LoadingStore, load } from "../core/loading.ts";
import type { Question } from "../core/ruling.ts";
import { isWorker } from "../core/runtime.ts";
import { isNotInstalled } from "./readiness.ts";
import { createTimeLimit } from "./time-limit.ts";

/** The maximum number of decisions that wait for the first answer; beyond it, the outage policies decide. */
export const mostAwaiting = 10_000;
const firstPauseMs = 25;
const longestPauseMs = 500;

/**
 * A store that has never answered is not down: it is still being connected to, or is starting together with this
 * process. The first decisions of each process wait for it, at most for the connect time limit.
 */
export interface FirstContact {
  /**
   * `undefined` if there is nothing left to wait for, or too many decisions already wait. Resolves once the store has
   * answered or the time is over.
   */
  wait(question: Question): Promise<void> | undefined;
  /** Call this when the store has answered, or when waiting for it must end. */
  end(): void;
}

/**
 * @param store a store without `check` cannot say whether it is connected: decisions do not wait for it.
 * @param connectMs by this machine's own monotonic time, from when the store's code is loaded; 0 disables waiting.
 *   Loading the code may take as long again.
 * @param ask asks the store a question that changes nothing.
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
    // On a busy machine loading may take longer than connecting, and it is not the store's delay. If it fails, asking fails too.
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
      // In a Worker each request must ask for itself.
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
