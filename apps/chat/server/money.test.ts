import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMicros, parseMicros } from "./money.ts";

test.each([
  ["1.00", 1_000_000],
  ["0.000001", 1],
  ["5", 5_000_000],
  ["-0.25", -250_000],
  ["1.10", 1_100_000],
  ["0", 0],
  ["-0", 0],
])("%s is %d micros", (text, micros) => {
  expect(parseMicros(text)).toBe(micros);
});

test.each(["", "1e3", "1,5", "£5", "1.0000001", "--1", "NaN", "1000000000"])(
  "%j is not an amount",
  (text) => {
    expect(parseMicros(text)).toBeUndefined();
  },
);

test.each([
  [1_250_000, "1.25 GBP"],
  [0, "0.00 GBP"],
  [-125, "-0.000125 GBP"],
  [5_000_000, "5.00 GBP"],
  [1_200_000, "1.20 GBP"],
])("%d micros reads %s", (micros, text) => {
  expect(formatMicros(micros, "GBP")).toBe(text);
});

test("a formatted amount is parsed as the same amount", () => {
  fc.assert(
    fc.property(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), (micros) => {
      const [amount = ""] = formatMicros(micros, "GBP").split(" ");
      expect(parseMicros(amount)).toBe(micros);
    }),
  );
});
