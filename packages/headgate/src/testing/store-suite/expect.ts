/** A failed expectation of the suite. */
export class StoreSuiteError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "StoreSuiteError";
  }
}

/** @throws StoreSuiteError that says what was expected and what was got, unless they are the same in depth. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new StoreSuiteError(`${what}: expected ${wanted}, got ${got}.`);
}

/** @throws StoreSuiteError unless the condition holds. */
export function expectThat(condition: boolean, what: string): void {
  if (!condition) throw new StoreSuiteError(`${what}.`);
}

/** JSON that distinguishes `Infinity` and `undefined` from `null`, with its keys in one order. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "number" && !Number.isFinite(inner)) return String(inner);
    if (inner === undefined) return "undefined";
    // A store may answer with -0 where another answers 0; no caller can tell.
    if (inner === 0) return 0;
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return inner;
  });
}
