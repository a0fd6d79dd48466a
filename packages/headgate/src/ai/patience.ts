import type { Spending } from "./spending.ts";

/** Waits for a model, as long as it may be silent and as somebody wants its answer. */
export interface Patience {
  /** @throws what `work` throws; the reason of the signal that is aborted first. */
  for<Answer>(work: PromiseLike<Answer>): Promise<Answer>;
  /** Nothing more is waited for. */
  over(): void;
}

/** @param other a signal of the caller's, besides the meter's own. */
export function patience(spending: Spending, other?: AbortSignal): Patience {
  const { silenceMs } = spending.options;
  const signals = other === undefined ? [spending.signal] : [spending.signal, other];
  let stop: ((reason: unknown) => void) | undefined;
  const onAbort = () => stop?.(signals.find(({ aborted }) => aborted)?.reason);
  for (const signal of signals) signal.addEventListener("abort", onAbort);

  return {
    async for(work) {
      // Nobody waits for it any more where this gives up.
      Promise.resolve(work).catch(() => {});
      for (const signal of signals) signal.throwIfAborted();
      const timer = silenceMs === undefined ? undefined : setTimeout(() => spending.timedOut(), silenceMs);
      const stopped = new Promise<never>((_, reject) => {
        stop = reject;
      });
      try {
        return await Promise.race([work, stopped]);
      } finally {
        stop = undefined;
        clearTimeout(timer);
      }
    },
    over() {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
    },
  };
}
