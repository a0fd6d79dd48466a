import type { Charge, Outcome } from "../../core/store.ts";
import type { Commits } from "./commits.ts";
import type { SlotShare } from "./slots.ts";

/** A contended attempt is repeated after a pause as long as the attempt took, but at most this long, ms. */
const longestPauseMs = 50;

/** Sends this process's unsent reports to contended slots, because they may be the reason. @returns whether there were any. */
export function explain(
  commits: Commits,
  shares: readonly SlotShare<Charge>[],
  outcomes: readonly Outcome[],
): boolean {
  return outcomes
    .map(({ contended }, s) => contended && commits.send(shares[s] as SlotShare<Charge>))
    .includes(true);
}

/** The competing processes were answered at about the same time, and are reporting their results to the slots now. */
export function pause(tookMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(longestPauseMs, Math.ceil(tookMs))));
}
