import { describe, expect, it } from "vitest";
import type { Claim } from "../core/claim.ts";
import type { Ledger } from "../core/ruling.ts";
import type { Charge, Outcome } from "../core/store.ts";
import { type Counted, Part, type Totals } from "./part.ts";

/** Only the groups matter here: two in the first partition, one in the others. */
function partition(space: string, key: string, groups: number): Counted {
  return { space, key, limits: { groups: Array.from({ length: groups }, () => ({})) } } as unknown as Counted;
}

const user = partition("chat/user", "user:1", 2);
const org = partition("chat/org", "user:1", 1);
const other = partition("chat/user", "user:2", 1);
const claim: Claim = {
  space: "chat/user",
  key: "user:2",
  id: "m1",
  fingerprint: "f",
  leaseMs: 30_000,
} as Claim;

const outcome = (now = 0, marks: number[][] = []) => ({ now, marks }) as unknown as Outcome;
const charge = (spends: number[], holds?: number[]) => ({ spends, holds }) as unknown as Charge;
const newPart = (counted: readonly Counted[], its?: Claim) => {
  const charges = counted.map((one): Charge => ({ ...one, needs: [], spends: [] }));
  return new Part({} as Ledger, "r1", charges, its);
};

/** Adjusts a part to these totals, as if the ledger had applied them. */
function apply(part: Part, totals: Totals, seq: number, result = outcome()) {
  const adjustments = part.adjustments(totals, seq, false, false, "running", undefined);
  part.applied(adjustments, result);
  return adjustments;
}

describe("whether the ledger may have other totals", () => {
  it("compares what is used and what is held, in every group", () => {
    const part = newPart([user, org]);
    part.admitted([charge([1, 20], [0, 5]), charge([1], [2])], outcome(), 1);
    expect(part.differs({ used: [[1, 20], [1]], held: [[0, 5], [2]] })).toBe(false);
    expect(part.differs({ used: [[1, 21], [1]], held: [[0, 5], [2]] })).toBe(true);
    expect(part.differs({ used: [[1, 20], [1]], held: [[0, 4], [2]] })).toBe(true);
    expect(part.differs({ used: [[1, 20], [1]], held: [[0, 5], [0]] })).toBe(true);
  });

  it("holds nothing where no hold is named", () => {
    const part = newPart([user, org]);
    part.admitted([charge([1, 20]), charge([1])], outcome(), 1);
    expect(part.differs({ used: [[1, 20], [1]], held: [] })).toBe(false);
    expect(part.differs({ used: [[1, 20]], held: [] })).toBe(true);
  });

  it("differs while in doubt, until the ledger has applied an adjustment", () => {
    const part = newPart([org]);
    const none: Totals = { used: [[0]], held: [[0]] };
    expect(part.differs(none)).toBe(false);
    part.inDoubt = true;
    expect(part.differs(none)).toBe(true);
    apply(part, none, 1);
    expect(part.differs(none)).toBe(false);
  });
});

describe("an adjustment", () => {
  const none: Totals = { used: [[0, 0], [0], [0]], held: [[0, 3], [1], [1]] };

  it("changes the claim in the partition that keeps it, and nowhere else", () => {
    const part = newPart([user, org, other], claim);
    const claims = apply(part, none, 1).map((adjustment) => adjustment.claim?.id);
    expect(claims).toEqual([undefined, undefined, "m1"]);
  });

  it("has no claim without one", () => {
    const part = newPart([user, org, other]);
    for (const adjustment of apply(part, none, 1)) expect(adjustment).not.toHaveProperty("claim");
  });

  it("holds nothing once ended", () => {
    const part = newPart([user, org, other]);
    const held = (ended: boolean) =>
      part.adjustments(none, 1, ended, false, "running", undefined).map((one) => one.held);
    expect(held(false)).toEqual(none.held);
    expect(held(true)).toEqual([[0, 0], [0], [0]]);
  });

  it("names the charges that it can give back, newest first and at most 16 of a group", () => {
    const part = newPart([org]);
    expect(apply(part, { used: [[0]], held: [[0]] }, 1)[0]?.refunds).toEqual([]);
    for (let n = 1; n <= 17; n += 1) apply(part, { used: [[n]], held: [[0]] }, n + 1, outcome(n, [[n]]));
    const refunds = part.refunds[0];
    expect(refunds).toHaveLength(16);
    expect(refunds?.[0]).toEqual({ group: 0, amount: 1, chargedAt: 17, mark: 17 });
    expect(refunds?.at(-1)).toEqual({ group: 0, amount: 1, chargedAt: 2, mark: 2 });
  });

  it("gives back the newest charges of its group first", () => {
    const part = newPart([user]);
    apply(part, { used: [[5, 0]], held: [[0, 0]] }, 1, outcome(1));
    apply(part, { used: [[5, 7]], held: [[0, 0]] }, 2, outcome(2));
    apply(part, { used: [[9, 7]], held: [[0, 0]] }, 3, outcome(3));
    apply(part, { used: [[3, 7]], held: [[0, 0]] }, 4, outcome(4));
    expect(part.refunds[0]?.map(({ group, amount, chargedAt }) => [group, amount, chargedAt])).toEqual([
      [0, 0, 3],
      [1, 7, 2],
      [0, 3, 1],
    ]);
  });
});

it("an answer is outdated once a newer call was answered, in whatever order the answers came", () => {
  const part = newPart([org]);
  const totals: Totals = { used: [[1]], held: [[0]] };
  const [second, third, fourth] = [2, 3, 4].map((seq) =>
    part.adjustments(totals, seq, false, false, "running", undefined),
  ) as [never, never, never];
  part.applied(third, outcome());
  part.admitted([charge([0])], outcome(), 1);
  expect([second, third, fourth].map((each) => part.isOutdated(each))).toEqual([true, false, false]);
  part.applied(second, outcome());
  expect(part.isOutdated(second)).toBe(true);
  part.admitted([charge([0])], outcome(), 4);
  expect([third, fourth].map((each) => part.isOutdated(each))).toEqual([true, false]);
  expect(part.isOutdated([])).toBe(false);
});

it("says what the ledger knows, and whether it holds anything anywhere", () => {
  const part = newPart([user, org]);
  expect(part.holds).toBe(false);
  expect(newPart([user, org, other], claim).holds).toBe(true);
  apply(part, { used: [[1, 20], [3]], held: [[0, 5], [0]] }, 1);
  expect(part.holds).toBe(true);
  const [first, second] = apply(part, { used: [[1, 25], [3]], held: [[0, 0], [0]] }, 2);
  expect([first?.known, second?.known]).toEqual([[1, 20], [3]]);
  expect(part.holds).toBe(false);
});
