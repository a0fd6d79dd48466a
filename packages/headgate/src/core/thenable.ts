/**
 * Whether a value has to be awaited: promises, also those of other libraries and realms, and queries that run when awaited.
 * Never throws.
 */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if (value instanceof Promise) return true;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === "function";
  } catch {
    return false;
  }
}

/** A promise that nobody waits for must not end the process when it fails. */
export function letFail(value: unknown): void {
  if (isThenable(value)) Promise.resolve(value).catch(() => {});
}
