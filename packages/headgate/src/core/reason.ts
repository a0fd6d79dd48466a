import { show } from "./show.ts";

/** What was thrown, in words. Anything can be thrown, also what cannot be made into text: this never throws. */
export function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return show(thrown);
  }
}

/** Why it was thrown: the message of an error, else the thing itself. Never throws. */
export function reasonOf(thrown: unknown): string {
  try {
    return textOf(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return show(thrown);
  }
}
