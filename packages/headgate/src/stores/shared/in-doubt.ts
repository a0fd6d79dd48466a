import { textOf } from "../../core/reason.ts";

/** Says on the error that what was asked may have been done; `isInDoubt` of core reads it. */
export function inDoubt(error: unknown): Error {
  const marked = error instanceof Error ? error : new Error(`The store failed: ${textOf(error)}`);
  return Object.assign(marked, { inDoubt: true });
}
