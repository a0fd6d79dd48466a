/** Reads a value from `localStorage`; `null` if there is none or storage is blocked. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Writes a value to `localStorage`, or removes it with `null`. Full or blocked storage is not an error. */
export function writeStored(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // In private windows or on a full disk, the page still works without storage.
  }
}

/** Returns all keys of `localStorage`; none if storage is blocked. */
export function storedKeys(): string[] {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}
