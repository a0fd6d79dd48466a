import { expect, test } from "vitest";
import { formatMoney } from "./money.ts";

test.each([
  [1_000_000, "USD", "$1.00"],
  [1_250_000, "GBP", "£1.25"],
  [0, "USD", "$0.00"],
  [12_345_678, "USD", "$12.34"],
  [4_200, "USD", "$0.0042"],
  [-1_100, "USD", "-$0.0011"],
  [2_000_000_000, "USD", "$2,000.00"],
  [1_000_000, "not a currency", "not a currency 1.00"],
])("%d micros of %s are %s", (micros, currency, shown) => {
  expect(formatMoney(micros, currency)).toBe(shown);
});
