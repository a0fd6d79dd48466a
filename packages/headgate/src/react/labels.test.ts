import { describe, expect, it } from "vitest";
import { shortWait, spokenWait } from "./index.ts";

describe("shortWait and spokenWait", () => {
  it.each([
    [0, "0 s", "0 seconds"],
    [1, "1 s", "1 second"],
    [42, "42 s", "42 seconds"],
    [60, "1 min", "1 minute"],
    [61, "1 min 1 s", "1 minute 1 second"],
    [125, "2 min 5 s", "2 minutes 5 seconds"],
    [3600, "1 h", "1 hour"],
    [3601, "1 h", "1 hour"],
    [7260, "2 h 1 min", "2 hours 1 minute"],
    [90_000, "25 h", "25 hours"],
  ])("turn %i seconds into %s and %s", (seconds, short, spoken) => {
    expect(shortWait(seconds)).toBe(short);
    expect(spokenWait(seconds)).toBe(spoken);
  });
});
