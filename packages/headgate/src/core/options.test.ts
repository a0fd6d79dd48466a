import { describe, expect, it } from "vitest";
import { checkOptions, othersOptions } from "./options.ts";

const known = ["layers", "store", "timeouts", "outage", "onDecision"];
const check = (options: object) => () =>
  checkOptions("createLimiter", options, known, "option-invalid", { moved: othersOptions });

describe("checkOptions", () => {
  it.each([
    ["outgae", 'createLimiter has no option "outgae": did you mean "outage"?'],
    ["timeout", 'createLimiter has no option "timeout": did you mean "timeouts"?'],
    ["Layers", 'createLimiter has no option "Layers": did you mean "layers"?'],
    ["onDescision", 'createLimiter has no option "onDescision": did you mean "onDecision"?'],
    ["colour", 'createLimiter has no option "colour". It takes layers, store, timeouts, outage, onDecision.'],
    [
      "windowMs",
      'createLimiter has no option "windowMs": it belongs to another library. docs/moving-over.md lists the replacements.',
    ],
  ])("throws for %s, and names what is expected", (option, message) => {
    expect(check({ layers: [], [option]: 1 })).toThrow(message);
  });

  it("accepts known options", () => {
    expect(check({ layers: [], store: undefined })).not.toThrow();
  });
});
