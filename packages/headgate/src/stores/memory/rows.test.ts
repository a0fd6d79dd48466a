import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rows } from "./rows.ts";

function fill(rows: Rows, row: number, length: number, value: number): void {
  rows.find(row);
  rows.numbers.fill(value, rows.at, rows.at + length);
}

function read(rows: Rows, row: number, length: number): number[] {
  rows.find(row);
  return [...rows.numbers.subarray(rows.at, rows.at + length)];
}

describe("Rows", () => {
  it("keeps the contents of every row while other rows are added and removed", () => {
    const step = fc.record({
      length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9000 })),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const rows = new Rows();
        const kept = new Map<number, { length: number; value: number }>();
        for (const [value, { length, remove }] of steps.entries()) {
          const row = rows.add(length);
          expect(kept.has(row)).toBe(false);
          expect(rows.roomOf(row)).toBeGreaterThanOrEqual(length);
          expect(read(rows, row, rows.roomOf(row)).every((number) => number === 0)).toBe(true);
          fill(rows, row, length, value + 1);
          kept.set(row, { length, value: value + 1 });
          const oldest = [...kept.keys()][0] as number;
          if (remove) {
            rows.remove(oldest);
            kept.delete(oldest);
          }
        }
        for (const [row, { length, value }] of kept) {
          expect(read(rows, row, length)).toEqual(new Array(length).fill(value));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("reports that rows may have moved", () => {
    const rows = new Rows();
    const first = rows.add(3);
    rows.find(first);
    const { numbers, moves } = rows;
    while (rows.moves === moves) rows.add(3);
    rows.find(first);
    expect(rows.numbers).not.toBe(numbers);
  });
});
