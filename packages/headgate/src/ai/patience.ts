import type { Spending } from "./spending.ts";

/** Waits for a model, up to the longest allowed silence, while its answer is still wanted. */
export interface Patience {
  /** @throws what `work` throws, or the reason of the first aborted signal. */
  for<Answer>(work: PromiseLike<Answer>): Promise<Answer>;
  /** Removes the listeners. */
  over(): void;
}

/** @param other the caller's signal, in addition to the meter's. */
export function patience(spending: Spending, other?: AbortSignal): Patience {
  const { silenceMs } = spending.options;
  const signals = other === undefined ? [spending.signal] : [spending.signal, other];
  let stop: ((reason: unknown) => void) | undefined;
  const onAbort = () => stop?.(signals.find(({ aborted }) => aborted)?.reason);
  for (const signal of signals) signal.addEventListener("abort", onAbort);

  return {
    async for(work) {
      // After a timeout nobody awaits this promise: its rejection must not end the process.
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
