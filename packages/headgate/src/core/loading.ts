import type { Store } from "./store.ts";

/** The key of a store's method that loads the code it needs before it can connect. It may be called more than once. */
export const load: unique symbol = Symbol.for("headgate.load");

export interface LoadingStore extends Store {
  [load]?(): Promise<unknown>;
}
