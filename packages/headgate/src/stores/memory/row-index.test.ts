import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RowIndex } from "./row-index.ts";
import { noRow } from "./rows.ts";

const half = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Only a few different values, so that entries collide. */
const hash = fc.record({
  high: fc.oneof(fc.constantFrom(0, 1, -1), half),
  low: fc.constantFrom(0, 1, -1, 7),
});

describe("RowIndex", () => {
  it("finds the same entries as a map", () => {
    const change = fc.record({ hash, row: fc.option(fc.nat({ max: 2 ** 31 - 2 })) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const index = new RowIndex();
        const map = new Map<string, number>();
        for (const {
          hash: { high, low },
          row,
        } of changes) {
          const key = `${high} ${low}`;
          if (row === null) {
            index.delete(high, low);
            map.delete(key);
          } else {
            index.set(high, low, row);
            map.set(key, row);
          }
          expect(index.size).toBe(map.size);
        }
        for (const {
          hash: { high, low },
        } of changes) {
          expect(index.find(high, low)).toBe(map.get(`${high} ${low}`) ?? noRow);
        }
      }),
    );
  });

  it("replaces the row of its own entry, and no other", () => {
    const index = new RowIndex();
    index.set(1, 2, 7);
    index.set(1, 3, 8);
    expect(index.replace(1, 2, 8, 9)).toBe(false);
    expect(index.replace(2, 2, 7, 9)).toBe(false);
    expect(index.replace(1, 2, 7, 9)).toBe(true);
    expect([index.find(1, 2), index.find(1, 3), index.find(2, 2), index.size]).toEqual([9, 8, noRow, 2]);
  });

  it("finds all of many entries after every division, and no deleted one", () => {
    const index = new RowIndex();
    const count = 100_000;
    for (let n = 0; n < count; n += 1) index.set(n, Math.imul(n, 0x9e3779b1), n);
    expect(index.size).toBe(count);
    for (let n = 0; n < count; n += 2) index.delete(n, Math.imul(n, 0x9e3779b1));
    expect(index.size).toBe(count / 2);
    let wrong = 0;
    for (let n = 0; n < count; n += 1) {
      if (index.find(n, Math.imul(n, 0x9e3779b1)) !== (n % 2 === 0 ? noRow : n)) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  it("visits every entry in each round", () => {
    const index = new RowIndex();
    for (let n = 0; n < 20_000; n += 1) index.set(n, ~n, n);
    const seen = new Set<number>();
    for (let look = 0; look < 80_000; look += 1) {
      const row = index.next();
      if (row === noRow) continue;
      if (index.sweptHigh === row && index.sweptLow === ~row) seen.add(row);
    }
    expect(seen.size).toBe(20_000);
  });
});
