import { show } from "./show.ts";
import { isThenable } from "./thenable.ts";

/** Describes an invalid value in a few words, for error messages: for an object, the names of its properties. */
export function describe(given: unknown): string {
  if (typeof given !== "object" || given === null || Array.isArray(given) || isThenable(given))
    return show(given);
  const names = Object.keys(given);
  return names.length === 0 ? "{}" : `an object with ${names.slice(0, 5).join(", ")}`;
}
