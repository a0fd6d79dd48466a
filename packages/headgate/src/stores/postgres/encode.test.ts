import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calendarWindow } from "../../core/calendar.ts";
import { parseLimits } from "../../core/grammar.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge } from "../../core/store.ts";
import { encode, type StoreRequest } from "./encode.ts";
import { calendarEdges } from "./limit-descriptions.ts";
import { partitionId } from "./partition-id.ts";
import { requestKinds } from "./sql/codes.ts";

const limits = compileLimits("user", "5/minute; 60/hour; 100/day token-bucket");
const charge = (key: string, space = "user"): Charge => ({
  space,
  key,
  limits,
  needs: [1, 1],
  spends: [1, 0],
});

const asked = (kind: "admit" | "peek", ...charges: readonly Charge[]): StoreRequest => ({
  kind,
  charges,
  hold: undefined,
});
const numbersOf = (text: string) => text.slice(1, -1).split(",").map(Number);

describe("encode", () => {
  it("includes every state and every group of limits once", () => {
    const [partitionIds, stateIds, described, requests, locks, at] = encode(
      [asked("admit", charge("a")), asked("admit", charge("b")), asked("admit", charge("a"))],
      0,
      null,
    );
    expect(partitionIds.split(",")).toHaveLength(4);
    expect(new Set(stateIds.slice(1, -1).split(",")).size).toBe(2);
    expect(described).toBe("{1,2,86400000,5,60000,60,3600000,2,1,86400000,100,86400000,864000,1}");
    // Negative, because each request names two states of one unit.
    expect(requests).toBe("{0,2,-1,1,1,1,-2,8,1,0,0,2,-3,1,1,1,-4,8,1,0,0,2,-1,1,1,1,-2,8,1,0}");
    expect(locks.split(",")).toHaveLength(2);
    expect(at).toBeNull();
  });

  it("marks batches that charge only sliding windows, each partition once", () => {
    const windows = compileLimits("user", "5/minute; 60/hour");
    const plain: Charge = { space: "user", key: "a", limits: windows, needs: [1], spends: [1] };
    const kindOf = (...charges: readonly Charge[]) =>
      Number(/\d+/.exec(encode([asked("admit", ...charges)], 0, null)[3])?.[0]);
    expect(kindOf(plain)).toBe(requestKinds.plain);
    expect(kindOf(plain, { ...plain, key: "b" }, { ...plain, space: "ip" })).toBe(requestKinds.plain);
    expect(kindOf(plain, plain)).toBe(requestKinds.admit);
    expect(kindOf({ ...plain, spends: [0] })).toBe(requestKinds.admit);
    expect(kindOf({ ...plain, needs: [0], spends: [0] })).toBe(requestKinds.admit);
    expect(kindOf(plain, charge("b"))).toBe(requestKinds.admit);
    const many = Array.from({ length: 9 }, (_, n) => ({ ...plain, key: `of${n}` }));
    expect(kindOf(...many)).toBe(requestKinds.admit);
    const peeked = encode([asked("peek", plain)], 0, null)[3];
    expect(peeked).toMatch(new RegExp(`^\\{${requestKinds.peek},`));
  });

  it("marks batches with several states of one unit in a partition, because they are charged together", () => {
    const of = (text: string, key: string): StoreRequest =>
      asked("admit", { space: "user", key, limits: compileLimits("user", text), needs: [1], spends: [1] });
    const numbers = numbersOf(
      encode([of("5/hour", "a"), of("5/hour", "b"), of("5/hour fixed-window", "a")], 0, null)[3],
    );
    const { admit, plain } = requestKinds;
    expect([0, 6, 12].map((at) => [numbers[at], numbers[at + 2]])).toEqual([
      [admit, -1],
      [plain, 2],
      [admit, -3],
    ]);
  });

  it("looks up holdings if units can be held, or for a reservation", () => {
    const tokens = compileLimits("user", "9 tokens/day; 5/minute; 2 concurrent; 90 tokens/week");
    const held: Charge = {
      space: "user",
      key: "a",
      limits: tokens,
      needs: [4, 1, 1, 4],
      spends: [0, 1, 0, 0],
    };
    const [, stateIds, , requests] = encode([asked("admit", held)], 0, null);
    // Places are held and leave no state.
    expect(stateIds.split(",")).toHaveLength(4);
    const [kind, count, , , call, holdings, lease, holdsAnything, groups, ...rest] = numbersOf(requests);
    expect([kind, count, call]).toEqual([requestKinds.reserve, 1, -1]);
    expect([holdings, lease, holdsAnything, groups]).toEqual([1, tokens.leaseMs, 0, 4]);
    const states = [0, 1, 2, 3].map((g) => rest[8 * g]);
    expect(states).toEqual([-2, 3, 0, -4]);
    const [first, second, third, fourth] = [0, 1, 2, 3].map((g) => rest.slice(8 * g + 2, 8 * g + 4));
    expect(first?.[0]).toBe(fourth?.[0]);
    expect(new Set([first?.[0], second?.[0], third?.[0]]).size).toBe(3);
    expect([first, second, third, fourth].map((group) => group?.[1])).toEqual([1, 1, 1, 0]);

    const hold = { rid: "00000000000affffffffffff", seq: 7 };
    const reserved = numbersOf(encode([{ kind: "peek", charges: [charge("a")], hold }], 0, null)[3]);
    expect(reserved.slice(0, 5)).toEqual([requestKinds.reservePeek, 1, 10, 2 ** 48 - 1, 7]);
  });

  it("has the use and holds of a reservation, and the refundable charges by group", () => {
    const refund = { group: 1, amount: 2, chargedAt: 1000, mark: 5 };
    const adjustment = { ...charge("a"), rid: `${"0".repeat(23)}9`, seq: 3, ended: true, raises: false };
    const totals = { known: [1, 0], used: [2, 3], held: [0, 4], refunds: [refund] };
    const [, , , requests, locks] = encode(
      [{ kind: "adjust", adjustments: [{ ...adjustment, ...totals }] }],
      0,
      null,
    );
    const numbers = numbersOf(requests);
    expect(numbers.slice(0, 10)).toEqual([requestKinds.adjust, 1, 1, limits.leaseMs, 0, 9, 3, 1, 0, 2]);
    expect(numbers.slice(10).toSpliced(2, 1).toSpliced(9, 1)).toEqual([
      -2, 1, 1, 1, 2, 0, 0, -3, 8, 0, 0, 3, 4, 1, 2, 1000, 5,
    ]);
    expect(numbersOf(locks)).toHaveLength(1);
  });

  it("takes locks in the same order for any order of requests", () => {
    const keys = Array.from({ length: 20 }, (_, n) => charge(`caller${n}`));
    const locksOf = (charges: readonly Charge[]) => encode([asked("admit", ...charges)], 0, null)[4];
    expect(locksOf(keys.toReversed())).toBe(locksOf(keys));
    const numbers = locksOf(keys).slice(1, -1).split(",").map(Number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it("takes no lock for a peek", () => {
    expect(encode([asked("peek", charge("a"))], 0, null)[4]).toBe("{}");
  });
});

describe("partitionId", () => {
  it("distinguishes all spaces and keys, even those with equal UTF-8", () => {
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

  it("contains no part of the key, and a lock number from 0 to 1023", () => {
    const { id, lock } = partitionId("user", "ann@example.org");
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(lock).toBeGreaterThanOrEqual(0);
    expect(lock).toBeLessThan(1024);
  });
});

describe("calendarEdges", () => {
  it("are the edges of the previous, current and next two windows", () => {
    const [limit] = parseLimits("5/month fixed-window in Europe/London");
    if (limit === undefined) throw new Error("no limit");
    const now = Date.UTC(2026, 2, 29, 12);
    const months = [1, 2, 3, 4].map((month) =>
      calendarWindow("month", "Europe/London", Date.UTC(2026, month, 15)),
    );
    expect(calendarEdges(limit, now)).toEqual([...months.map(({ start }) => start), months[3]?.end]);
    // Cached while the window lasts, and computed again after it.
    expect(calendarEdges(limit, Date.UTC(2026, 2, 31, 22, 59, 59, 999))).toBe(calendarEdges(limit, now));
    expect(calendarEdges(limit, Date.UTC(2026, 2, 31, 23))[1]).toBe(Date.UTC(2026, 2, 31, 23));
  });
});
