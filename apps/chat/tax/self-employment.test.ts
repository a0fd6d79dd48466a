import { expect, test } from "vitest";
import { class4Insurance } from "./self-employment.ts";

// https://www.gov.uk/self-employed-national-insurance-rates: 6% from £12,570 to £50,270, 2% above.
test.each([
  [12_570, 0],
  [12_670, 6],
  [30_000, 1_045.8],
  [50_270, 2_262],
  [60_000, 2_456.6],
])("class 4 on £%d", (profit, insurance) => {
  expect(class4Insurance(profit * 100)).toBe(Math.round(insurance * 100));
});
