import { describe, expect, it } from "vitest";
import { figureOf } from "../measuring/figures.ts";
import type { Table } from "./result.ts";
import { atLeast, atMost, atMostOf, floorOf, ofBestPeer, ofHeadgate, ofRow } from "./targets.ts";
import { cellsOf } from "./text.ts";

const table: Table = {
  id: "example",
  title: "An example",
  columns: [
    { title: "time", unit: "ns", better: "less" },
    { title: "rate", unit: "decisions/s", better: "more" },
  ],
  rows: [
    {
      label: "headgate",
      kind: "headgate",
      note: "exact",
      figures: [figureOf([90, 100, 110]), figureOf([4_000])],
    },
    { label: "quick", kind: "peer", note: "", figures: [figureOf([150]), figureOf([2_000])] },
    { label: "slow", kind: "peer", note: "", figures: [figureOf([1_000]), null] },
    { label: "bare", kind: "floor", note: "", figures: [figureOf([25]), figureOf([9_000])] },
  ],
};

describe("targets", () => {
  it("compare with the best of the peers, in either direction", () => {
    expect(ofHeadgate(table, 0)).toBe(100);
    expect(ofBestPeer(table, 0)).toEqual({ label: "quick", median: 150 });
    expect(ofBestPeer(table, 1)).toEqual({ label: "quick", median: 2_000 });
    expect(ofRow(table, 0, "slow")).toBe(1_000);
    expect(floorOf(table, 1)).toBe("bare: 9,000 decisions/s");
  });

  it("are met or not, and name the comparison", () => {
    expect(atMost("time", 0.6, "quick's", 100 / 150, "bare: 25 ns")).toEqual({
      what: "time",
      wanted: "at most 0.6 of quick's",
      measured: "0.667",
      isMet: false,
      floor: "bare: 25 ns",
    });
    expect(atMost("time", 0.6, "quick's", 0.6)).toMatchObject({ isMet: true });
    expect(atLeast("rate", 3, "quick's", 2.999)).toMatchObject({
      wanted: "at least 3 times quick's",
      isMet: false,
    });
    expect(atMostOf("pause", 10, "ms", 9.99)).toMatchObject({ measured: "9.99 ms", isMet: true });
  });

  it("need a measured figure", () => {
    expect(() => ofRow(table, 1, "slow")).toThrow('Not measured: "rate" of "An example"');
  });
});

it("shows ratios to Headgate first", () => {
  expect(cellsOf(table)).toEqual([
    ["", "× headgate", "time, ns ↓", "× headgate", "rate, decisions/s ↑"],
    ["headgate", "1", "100 (90 to 110)", "1", "4,000"],
    ["quick", "1.5", "150", "0.5", "2,000"],
    ["slow", "10", "1,000", "", ""],
    ["bare", "0.25", "25", "2.25", "9,000"],
  ]);
});
