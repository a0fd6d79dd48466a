import { type LoadingStore, load as loadCode } from "../../core/loading.ts";
import type { Store } from "../../core/store.ts";

/**
 * A shared store whose code and connection come when it is first used, so that a limiter can be made without waiting
 * and a bundle without the stores it does not use. Loading that fails is tried again at the next call.
 */
export function lazyStore(name: string, load: () => Promise<Store>): LoadingStore {
  let loading: Promise<Store> | undefined;
  /** Once it is here: then a call of its takes no promise more than it would without this. */
  let loaded: Store | undefined;
  let closed = false;

  function use(): Promise<Store> {
    if (closed) return Promise.reject(new Error(`The ${name} store has been closed.`));
    loading ??= load().then(
      (store) => {
        loaded = store;
        return store;
      },
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  }

  return {
    name,
    remote: true,
    claims: true,
    decide(charges, now, peek, hold, claim) {
      if (loaded !== undefined && !closed) return loaded.decide(charges, now, peek, hold, claim);
      return use().then((store) => store.decide(charges, now, peek, hold, claim));
    },
    adjust: async (adjustments, now) => (await use()).adjust(adjustments, now),
    reset: async (partitions, now) => (await use()).reset(partitions, now),
    async override(partitions, terms, now) {
      const store = await use();
      if (store.override === undefined) throw new Error(`The ${name} store overrides nothing.`);
      return store.override(partitions, terms, now);
    },
    async countProcesses(limiter, process, now) {
      const store = await use();
      if (store.countProcesses === undefined) throw new Error(`The ${name} store counts no processes.`);
      return store.countProcesses(limiter, process, now);
    },
    async readShared(limiter, version) {
      const store = await use();
      if (store.readShared === undefined) throw new Error(`The ${name} store shares no text.`);
      return store.readShared(limiter, version);
    },
    async writeShared(limiter, version, next) {
      const store = await use();
      if (store.writeShared === undefined) throw new Error(`The ${name} store shares no text.`);
      return store.writeShared(limiter, version, next);
    },
    async [loadCode]() {
      const store: LoadingStore = await use();
      await store[loadCode]?.();
    },
    check: async () => (await use()).check?.(),
    async close() {
      closed = true;
      const store = await loading?.catch(() => undefined);
      await store?.close?.();
    },
    // All that a store can do has to be passed on.
  } satisfies Required<LoadingStore>;
}
