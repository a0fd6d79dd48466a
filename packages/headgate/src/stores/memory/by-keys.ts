import type { Charge, Store } from "../../core/store.ts";
import type { MemoryOutcome } from "./outcome.ts";

/** What a policy asks of one layer, for every caller. */
export type Part = Omit<Charge, "key">;

/** Decides plain requests by their keys alone: nothing is made for a request that is the same for all of them. */
export interface ByKeys {
  /** The store's own. Where somebody has put another in its place, that one must decide. */
  readonly decide: Store["decide"];
  /**
   * Decides one request of each part.
   *
   * @param parts the same list for all callers of a policy. Each asks for one request, and holds nothing.
   * @param keys one for each part.
   * @returns undefined where only `decide` can tell. Nothing has changed then.
   */
  admit(parts: readonly Part[], keys: readonly string[], now: number): MemoryOutcome | undefined;
}

/** By the very store: a copy of it may decide otherwise. */
const known = new WeakMap<Store, ByKeys>();

export function byKeysOf(store: Store): ByKeys | undefined {
  return known.get(store);
}

export function offerByKeys<Offering extends Store>(store: Offering, byKeys: ByKeys["admit"]): Offering {
  known.set(store, { decide: store.decide, admit: byKeys });
  return store;
}
