import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calendarWindow } from "../../core/calendar.ts";
import { parseLimits } from "../../core/grammar.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge } from "../../core/store.ts";
import { encode } from "./encode.ts";
import { calendarEdges } from "./limit-descriptions.ts";
import { partitionId } from "./partition-id.ts";
import { requestKinds } from "./sql/codes.ts";

const limits = compileLimits("user", "5/minute; 60/hour; 100 tokens/day");
const charge = (key: string, space = "user"): Charge => ({
  space,
  key,
  limits,
  needs: [1, 1],
  spends: [1, 0],
});

describe("encode", () => {
  it("names every state and every group of limits once", () => {
    const [partitionIds, stateIds, described, requests, locks, at] = encode(
      [
        { kind: "admit", charges: [charge("a")] },
        { kind: "admit", charges: [charge("b")] },
        { kind: "admit", charges: [charge("a")] },
      ],
      0,
      null,
    );
    expect(partitionIds.split(",")).toHaveLength(4);
    expect(new Set(stateIds.slice(1, -1).split(",")).size).toBe(2);
    expect(described).toBe("{1,2,3600000,5,60000,60,3600000,2,1,86400000,100,86400000,864000,1}");
    expect(requests).toBe("{0,2,1,1,1,1,2,8,1,0,0,2,3,1,1,1,4,8,1,0,0,2,1,1,1,1,2,8,1,0}");
    expect(locks.split(",")).toHaveLength(2);
    expect(at).toBeNull();
  });

  it("tells apart what charges sliding windows alone, all that it needs, each once", () => {
    const windows = compileLimits("user", "5/minute; 60/hour");
    const plain: Charge = { space: "user", key: "a", limits: windows, needs: [1], spends: [1] };
    const kindOf = (...charges: readonly Charge[]) =>
      Number(/\d+/.exec(encode([{ kind: "admit", charges }], 0, null)[3])?.[0]);
    expect(kindOf(plain)).toBe(requestKinds.plain);
    expect(kindOf(plain, { ...plain, key: "b" }, { ...plain, space: "ip" })).toBe(requestKinds.plain);
    expect(kindOf(plain, plain)).toBe(requestKinds.admit);
    expect(kindOf({ ...plain, spends: [0] })).toBe(requestKinds.admit);
    expect(kindOf({ ...plain, needs: [0], spends: [0] })).toBe(requestKinds.admit);
    expect(kindOf(plain, charge("b"))).toBe(requestKinds.admit);
    const many = Array.from({ length: 9 }, (_, n) => ({ ...plain, key: `of${n}` }));
    expect(kindOf(...many)).toBe(requestKinds.admit);
    const peeked = encode([{ kind: "peek", charges: [plain] }], 0, null)[3];
    expect(peeked).toMatch(new RegExp(`^\\{${requestKinds.peek},`));
  });

  it("locks in one order, whatever was asked for first", () => {
    const keys = Array.from({ length: 20 }, (_, n) => charge(`caller${n}`));
    const locksOf = (charges: readonly Charge[]) => encode([{ kind: "admit", charges }], 0, null)[4];
    expect(locksOf(keys.toReversed())).toBe(locksOf(keys));
    const numbers = locksOf(keys).slice(1, -1).split(",").map(Number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it("locks nothing for a peek", () => {
    expect(encode([{ kind: "peek", charges: [charge("a")] }], 0, null)[4]).toBe("{}");
  });
});

describe("partitionId", () => {
  it("tells all spaces and keys apart, also those that UTF-8 does not", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, text, text, (space, key, otherSpace, otherKey) => {
        const same = space === otherSpace && key === otherKey;
        expect(partitionId(space, key).id === partitionId(otherSpace, otherKey).id).toBe(same);
      }),
    );
    expect(partitionId("a", "\ud800").id).not.toBe(partitionId("a", "\ud801").id);
    expect(partitionId("ab", "c").id).not.toBe(partitionId("a", "bc").id);
  });

  it("holds nothing of the key, and a lock from 0 to 1023", () => {
    const { id, lock } = partitionId("user", "ann@example.org");
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(lock).toBeGreaterThanOrEqual(0);
    expect(lock).toBeLessThan(1024);
  });
});

describe("calendarEdges", () => {
  it("are those of the windows before, now, next and after", () => {
    const [limit] = parseLimits("5/month fixed-window in Europe/London");
    if (limit === undefined) throw new Error("no limit");
    const now = Date.UTC(2026, 2, 29, 12);
    const months = [1, 2, 3, 4].map((month) =>
      calendarWindow("month", "Europe/London", Date.UTC(2026, month, 15)),
    );
    expect(calendarEdges(limit, now)).toEqual([...months.map(({ start }) => start), months[3]?.end]);
    // Kept while the window lasts, and found anew after it.
    expect(calendarEdges(limit, Date.UTC(2026, 2, 31, 22, 59, 59, 999))).toBe(calendarEdges(limit, now));
    expect(calendarEdges(limit, Date.UTC(2026, 2, 31, 23))[1]).toBe(Date.UTC(2026, 2, 31, 23));
  });
});
