import { describe, expect, it } from "vitest";
import {
  adjustHoldings,
  type Holdings,
  heldBy,
  heldOf,
  hold,
  lapse,
  noHoldings,
  rememberedMs,
  standingOf,
  tidy,
} from "./holdings.ts";

const rid = "0".repeat(24);
const leaseMs = 30_000;

function holdTokens(holdings: Holdings, seq: number, tokens: number, now: number): void {
  lapse(holdings, now);
  hold(holdings, { rid, seq }, [{ unit: "tokens", spend: 0, hold: tokens, known: 0 }], now, leaseMs);
}

function report(holdings: Holdings, seq: number, used: number, held: number, now: number): void {
  lapse(holdings, now);
  const totals = { known: [0], used: [used], held: [held] };
  const adjustment = { rid, seq, ended: false, raises: false, ...totals };
  adjustHoldings(holdings, adjustment, ["tokens"], now, leaseMs, () => {});
}

function heldAt(holdings: Holdings, now: number): number {
  lapse(holdings, now);
  return heldOf(holdings, "tokens");
}

describe("a reservation", () => {
  it("holds for one lease if it is extended after it lapsed", () => {
    const holdings = noHoldings();
    holdTokens(holdings, 1, 5, 0);
    holdTokens(holdings, 2, 7, leaseMs);
    expect(heldAt(holdings, 2 * leaseMs - 1)).toBe(7);
    expect(heldAt(holdings, 2 * leaseMs)).toBe(0);
  });

  it("holds for one lease if it is extended after everything it held was used", () => {
    const holdings = noHoldings();
    holdTokens(holdings, 1, 5, 0);
    report(holdings, 2, 5, 0, 1000);
    holdTokens(holdings, 3, 4, 2000);
    expect(heldAt(holdings, leaseMs + 1999)).toBe(4);
    expect(heldAt(holdings, leaseMs + 2000)).toBe(0);
  });

  it("is remembered after its lease even if it holds nothing: a repeated call is not applied again", () => {
    const holdings = noHoldings();
    holdTokens(holdings, 1, 0, 0);
    tidy(holdings, leaseMs + rememberedMs - 1);
    expect(standingOf(holdings, { rid, seq: 1 }, false)).toBe("applied");
    tidy(holdings, leaseMs + rememberedMs);
    expect(standingOf(holdings, { rid, seq: 1 }, false)).toBe("open");
    expect(heldBy(holdings, rid, "tokens")).toBe(0);
  });
});
