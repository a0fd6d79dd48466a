import type { Store } from "./store.ts";

/** Under this key, a store loads the code that it needs before it can connect. It may be called more than once. */
export const load: unique symbol = Symbol.for("headgate.load");

export interface LoadingStore extends Store {
  [load]?(): Promise<unknown>;
}
