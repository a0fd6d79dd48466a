import { show } from "./show.ts";

/** Describes a thrown value. Anything can be thrown, even values that cannot be converted to text. Never throws. */
export function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return show(thrown);
  }
}

/** Returns the reason for a thrown value: the message of an error, or the value as text. Never throws. */
export function reasonOf(thrown: unknown): string {
  try {
    return textOf(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return show(thrown);
  }
}
