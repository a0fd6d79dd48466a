import type { Refusal } from "./errors.ts";

/** A refusal as it is stored: without its response. */
export type StoredRefusal = Refusal & { response?: undefined };

interface StoredRecord {
  caller: string | undefined;
  refusal: StoredRefusal;
}

/** Storage for a refusal across reloads. */
export interface Kept {
  /** The last written refusal, if its deadline has not passed. */
  read(nowMs: number): StoredRecord | undefined;
  /** Replaces the stored refusal; `undefined` removes it. */
  write(record?: StoredRecord): void;
}

/**
 * Stores a refusal in `localStorage`. Stores nothing outside a page, or if storage is blocked or full.
 *
 * @param name the name of the entry; `false` for none.
 */
export function openKept(name: string | false): Kept {
  const key = `${name}.refusal`;
  // Look up `localStorage` at each use: access may throw, and outside a page it may print a warning.
  const storage = (): Storage | undefined => (name && globalThis.document ? localStorage : undefined);
  return {
    read(nowMs) {
      try {
        // Any code of this origin may have written the entry.
        const { caller, refusal } = JSON.parse(storage()?.getItem(key) ?? "{}");
        // The wall clock may have been set back: the wait must not become longer than the original.
        const deadline = Math.min(refusal.deadline, nowMs + refusal.retryAfterMs);
        return deadline > nowMs ? { caller, refusal: { ...refusal, deadline } } : undefined;
      } catch {
        return undefined;
      }
    },
    write(record) {
      try {
        if (record) storage()?.setItem(key, JSON.stringify(record));
        else storage()?.removeItem(key);
      } catch {
        // Storage is blocked or full: the refusal does not survive a reload.
      }
    },
  };
}
