import { textOf } from "../../core/reason.ts";

/** Marks the error of a call that may have been applied. `isInDoubt` in core reads the mark. */
export function inDoubt(error: unknown): Error {
  const marked = error instanceof Error ? error : new Error(`The store failed: ${textOf(error)}`);
  return Object.assign(marked, { inDoubt: true });
}
