import type { Refusal } from "./errors.ts";

/** A refusal as it outlives the page: without its response. */
export type StoredRefusal = Refusal & { response?: undefined };

interface StoredRecord {
  caller: string | undefined;
  refusal: StoredRefusal;
}

/** Where a refusal outlives a reload. */
export interface Kept {
  /** What was written last, if its deadline is still ahead. */
  read(nowMs: number): StoredRecord | undefined;
  /** Replaces what is there; `undefined` removes it. */
  write(record?: StoredRecord): void;
}

/**
 * Keeps a refusal in `localStorage`; keeps nothing outside of a page, or where storage is blocked or full.
 *
 * @param name of the entry; `false` for none.
 */
export function openKept(name: string | false): Kept {
  const key = `${name}.refusal`;
  // Looked up at each use: to touch it at all may throw, and outside of a page may warn.
  const storage = (): Storage | undefined => (name && globalThis.document ? localStorage : undefined);
  return {
    read(nowMs) {
      try {
        // Anything of this origin may have written it.
        const { caller, refusal } = JSON.parse(storage()?.getItem(key) ?? "{}");
        // The wall clock may have been set back since: no wait is longer than it was at first.
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
        // Blocked or full: the deadline lasts as long as the page.
      }
    },
  };
}
