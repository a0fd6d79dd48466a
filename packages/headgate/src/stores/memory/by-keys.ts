import type { Charge, Store } from "../../core/store.ts";
import type { MemoryOutcome } from "./outcome.ts";

/** What a policy charges every caller in one layer: only the key is missing. */
export type KeylessCharge = Omit<Charge, "key">;

/** Decides plain requests by their keys alone, without making an object for each charge. */
export interface ByKeys {
  /** The store's own `decide`. If the user has replaced it, the replacement must decide. */
  readonly decide: Store["decide"];
  /**
   * Decides one request in each layer.
   *
   * @param parts the same list for all callers of a policy. Each charges one request, and holds nothing.
   * @param keys one for each part.
   * @returns undefined if `decide` has to be asked. Nothing has changed then.
   */
  admit(parts: readonly KeylessCharge[], keys: readonly string[], now: number): MemoryOutcome | undefined;
}

/** By the store object itself: a copy of it may decide differently. */
const known = new WeakMap<Store, ByKeys>();

export function byKeysOf(store: Store): ByKeys | undefined {
  return known.get(store);
}

export function offerByKeys<Offering extends Store>(store: Offering, byKeys: ByKeys["admit"]): Offering {
  known.set(store, { decide: store.decide, admit: byKeys });
  return store;
}
