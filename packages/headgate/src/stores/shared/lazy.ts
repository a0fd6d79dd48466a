import { HeadgateError } from "../../core/errors.ts";
import { type LoadingStore, load as loadCode } from "../../core/loading.ts";
import type { Store } from "../../core/store.ts";

/**
 * Creates a shared store that loads its code and connects at its first use. A limiter can then be made without waiting,
 * and a bundle need not contain unused stores. If loading fails, the next call tries again.
 */
export function lazyStore(name: string, load: () => Promise<Store>): LoadingStore {
  let loading: Promise<Store> | undefined;
  /** The store, once it is loaded. From then on, a call does not go through another promise. */
  let loaded: Store | undefined;
  let closed = false;

  function use(): Promise<Store> {
    if (closed) return Promise.reject(new HeadgateError("store-invalid", "This store has been closed."));
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
      if (store.override === undefined) throw new Error(`The ${name} store does not support overrides.`);
      return store.override(partitions, terms, now);
    },
    async countProcesses(limiter, process, now) {
      const store = await use();
      if (store.countProcesses === undefined) throw new Error(`The ${name} store does not count processes.`);
      return store.countProcesses(limiter, process, now);
    },
    async readShared(limiter, version) {
      const store = await use();
      if (store.readShared === undefined) throw new Error(`The ${name} store does not share texts.`);
      return store.readShared(limiter, version);
    },
    async writeShared(limiter, version, next) {
      const store = await use();
      if (store.writeShared === undefined) throw new Error(`The ${name} store does not share texts.`);
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
    // Makes the compiler require every method of a store.
  } satisfies Required<LoadingStore>;
}
