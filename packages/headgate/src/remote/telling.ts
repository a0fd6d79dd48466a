import type { Ledger } from "../core/ruling.ts";
import type { Adjustment } from "../core/store.ts";
import type { Reconciliation } from "./reconcile/reconciliation.ts";
import type { RefusalMemory } from "./refusal-memory/refusal-memory.ts";
import { type StoreCalls, StoreLeftAlone } from "./store-calls.ts";
import { createTimeLimit } from "./time-limit.ts";

/** Sends changes to the named store. Changes that cannot be sent now wait for the reconciliation. */
export function createTelling(
  store: string,
  timeoutMs: number,
  calls: StoreCalls,
  refusals: RefusalMemory,
  reconciliation: Reconciliation,
): Ledger {
  const patience = createTimeLimit(store, timeoutMs);
  return {
    async adjust(adjustments, now) {
      if (!reconciliation.mayTell()) throw new StoreLeftAlone(store);
      const givingBack = adjustments.filter(givesBack);
      refusals.forget(givingBack);
      const outcome = await calls.change(adjustments, now);
      refusals.forget(givingBack);
      return outcome;
    },
    keep: reconciliation.keep,
    patience: (applying) =>
      patience(applying).then(
        () => {},
        () => {},
      ),
  };
}

/** Whether the change frees units that were spent or held. */
export function givesBack({ ended, known, used }: Adjustment): boolean {
  return ended || used.some((amount, g) => amount < (known[g] ?? 0));
}
