import { processWide } from "../../core/copies.ts";
import type { Store } from "../../core/store.ts";

const stores = /* @__PURE__ */ processWide(
  "shared-stores",
  () => new Map<string, { readonly store: Store; users: number }>(),
);

/**
 * Returns the store that is already open under this URI, or opens one. Its users share its connections and round trips.
 * It closes when the last user closes it.
 */
export function sharedStore(uri: string, open: () => Store): Store {
  const one = stores.get(uri) ?? { store: open(), users: 0 };
  stores.set(uri, one);
  one.users += 1;
  let closed = false;
  return {
    ...one.store,
    async close() {
      if (closed) return;
      closed = true;
      one.users -= 1;
      if (one.users > 0) return;
      stores.delete(uri);
      await one.store.close?.();
    },
  };
}
