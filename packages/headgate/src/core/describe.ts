import { show } from "./show.ts";
import { isThenable } from "./thenable.ts";

/** What was given in place of what would be right, in a few words: of an object, the names in it. */
export function describe(given: unknown): string {
  if (typeof given !== "object" || given === null || Array.isArray(given) || isThenable(given))
    return show(given);
  const names = Object.keys(given);
  return names.length === 0 ? "{}" : `an object with ${names.slice(0, 5).join(", ")}`;
}
