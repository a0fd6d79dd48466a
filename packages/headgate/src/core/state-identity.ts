import { formatLimit, isCoarse, type Limit } from "./limit.ts";

/**
 * Returns the id of the state that a limit reads within its partition. It depends on unit, algorithm and kind of
 * window, never on the quota. A limit with a changed quota reads the same state, so what was spent stays spent.
 *
 * All exact sliding windows over one unit read one log. Sliding windows with large quotas read a coarse log per window.
 * A bucket is identified by its window, because two buckets of one unit drain at different rates.
 */
export function stateIdentity(limit: Limit): string {
  const { algorithm, unit, windowMs, calendar, timeZone, from } = limit;
  switch (algorithm) {
    case "sliding-window":
      return isCoarse(limit) ? `coarse ${unit} ${windowMs}` : `${algorithm} ${unit}`;
    case "token-bucket":
    case "sliding-counter":
      return `${algorithm} ${unit} ${windowMs}`;
    case "fixed-window":
      if (calendar !== undefined) return `${algorithm} ${unit} ${calendar} ${timeZone ?? "UTC"}`;
      return from === undefined
        ? `${algorithm} ${unit} ${windowMs}`
        : `${algorithm} ${unit} ${windowMs} ${from}`;
    case "concurrent":
      return formatLimit(limit);
  }
}
