/** Also one of another library's or realm's, as query builders and test runners make them. Never throws. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if (value instanceof Promise) return true;
  if (typeof value !== "object" || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === "function";
  } catch {
    return false;
  }
}

/** A promise that nobody waits for must not end the process when it fails. */
export function letFail(value: unknown): void {
  if (isPromise(value)) Promise.resolve(value).catch(() => {});
}
