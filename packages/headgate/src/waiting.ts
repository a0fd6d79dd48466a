import type { Admission, Refused } from "./core/admission.ts";
import { checkWholeNumber } from "./core/whole-number.ts";

export interface WaitOptions {
  /** How long to wait in all, in milliseconds from 0 to 86,400,000 (a day); 60,000 by default. */
  maxWaitMs?: number;
  /** Ends the waiting: the promise then rejects with the signal's reason, and nothing has been charged. */
  signal?: AbortSignal;
}

const usualWaitMs = 60_000;
const longestWaitMs = 86_400_000;

/**
 * Asks again when the told wait is over, until the request is admitted or would have to wait for too long.
 *
 * @param now in milliseconds, by the limiter's clock.
 * @returns the admission; the refusal where no waiting would help, or not enough.
 * @throws HeadgateError `option-invalid`; what `ask` throws; the signal's reason.
 */
export async function waitUntilAdmitted(
  ask: () => Admission | Promise<Admission>,
  now: () => number,
  { maxWaitMs = usualWaitMs, signal }: WaitOptions,
): Promise<Admission> {
  const until = now() + checkWholeNumber("maxWaitMs", maxWaitMs, 0, longestWaitMs);
  for (;;) {
    signal?.throwIfAborted();
    const admission = await ask();
    if (admission.admitted || !mayHelp(admission, until - now())) return admission;
    await pause(admission.retryAfterMs, signal);
  }
}

function mayHelp({ reason, retryAfterMs }: Refused, leftMs: number): boolean {
  return reason !== "cost-exceeds-quota" && retryAfterMs <= leftMs;
}

/** @throws the signal's reason, at once when it is aborted. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
