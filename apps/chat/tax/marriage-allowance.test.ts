import { expect, test } from "vitest";
import { marriageAllowance } from "./marriage-allowance.ts";

const couple = (giver: number, receiver: number, nation: "England" | "Scotland" = "England") =>
  marriageAllowance(giver * 100, receiver * 100, nation, "2026/27");

test.each([
  // GOV.UK's example: £11,500 and £20,000. The couple saves £214 (£252 less 20% of £190).
  [11_500, 20_000, 21_400],
  [9_000, 34_000, 25_200],
  [0, 12_600, 600],
  [12_000, 30_000, 11_400],
])("£%d and £%d", (giver, receiver, gain) => {
  expect(couple(giver, receiver)).toEqual({ kind: "gain", gain });
});

test("nothing to gain", () => {
  expect(couple(8_000, 50_271)).toEqual({ kind: "no", why: "receiver pays a higher rate" });
  expect(couple(8_000, 43_663, "Scotland")).toEqual({ kind: "no", why: "receiver pays a higher rate" });
  expect(couple(12_570, 30_000)).toEqual({ kind: "no", why: "giver needs it" });
  expect(couple(20_000, 30_000)).toEqual({ kind: "no", why: "giver needs it" });
  expect(couple(5_000, 10_000)).toEqual({ kind: "no", why: "receiver pays no tax" });
});
