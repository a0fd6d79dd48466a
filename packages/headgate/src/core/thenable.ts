/**
 * Whether a value must be awaited: promises, including those of other libraries and realms, and queries that run when
 * awaited. Never throws.
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

/** Ignores the rejection of a promise that is not awaited, so that it does not end the process. */
export function letFail(value: unknown): void {
  if (isThenable(value)) Promise.resolve(value).catch(() => {});
}
