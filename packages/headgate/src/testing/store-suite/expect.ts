/** A failed expectation of the suite. */
export class StoreSuiteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StoreSuiteError";
  }
}

/** @throws StoreSuiteError with both values, unless they are deeply equal. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new StoreSuiteError(`${what}: expected ${wanted}, got ${got}.`);
}

/** @throws StoreSuiteError unless the condition holds. */
export function expectThat(condition: boolean, what: string): void {
  if (!condition) throw new StoreSuiteError(`${what}.`);
}

/** JSON that distinguishes `Infinity` and `undefined` from `null`, with sorted keys. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "number" && !Number.isFinite(inner)) return String(inner);
    if (inner === undefined) return "undefined";
    // One store may answer -0 and another 0, which makes no difference to callers.
    if (inner === 0) return 0;
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return inner;
  });
}
