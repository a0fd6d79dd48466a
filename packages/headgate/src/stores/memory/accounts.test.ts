import { expect, it } from "vitest";
import { compileLimits } from "../../core/limit-set.ts";
import { Accounts } from "./accounts.ts";
import { hashKey } from "./key-hash.ts";
import type { PlannedGroup } from "./kinds.ts";
import { noRow } from "./rows.ts";

function hashOf(key: string) {
  const hash = { high: 0, low: 0 };
  hashKey(key, hash);
  return hash;
}

it("keeps the initial count of a shared account until its window ends, even if nothing is charged to the account", () => {
  const accounts = new Accounts(1);
  const limits = compileLimits("user", "1/minute");
  const group = accounts.kinds.planOf("chat/user", limits, 0).groups[0] as PlannedGroup;
  // One request, spent at 1,000.
  const spent = Float64Array.of(2, 60_000, 0, 1000, 1);
  accounts.open(group, hashOf("own"), 1000, spent);
  accounts.open(group, hashOf("shared"), 1000, spent);
  expect(accounts.isSharing).toBe(true);
  expect(accounts.find(group.kind, hashOf("shared"), 60_999)).not.toBe(noRow);
  expect(accounts.find(group.kind, hashOf("shared"), 61_000)).toBe(noRow);
});

it("gives a caller that leaves a shared account a short state, however many requests that account counted", () => {
  const accounts = new Accounts(1);
  const limits = compileLimits("user", "500/minute; 1000/hour");
  const group = accounts.kinds.planOf("chat/user", limits, 0).groups[0] as PlannedGroup;
  const { algorithm } = group.kind;
  const charge = (key: string, now: number) => {
    const row = accounts.open(group, hashOf(key), now);
    accounts.show(row);
    accounts.makeRoom(row, group.kind, group.limits, hashOf(key), now);
    algorithm.keepFor?.(accounts.rows.numbers, accounts.rows.at, group.memory.windowMs);
    algorithm.charge(accounts.rows.numbers, accounts.rows.at, group.limits, now, 1);
    accounts.noteBlankAt(group.kind);
    return row;
  };
  charge("own", 1);
  for (let n = 0; n < 400; n += 1) charge("guest", 1000 + n);
  // The windows of the first caller are over, so the store forgets it and has room.
  const row = charge("guest", 3_600_001);
  accounts.show(row);
  const { rows } = accounts;
  expect(accounts.find(group.kind, hashOf("guest"), 3_600_001)).toBe(row);
  expect(rows.roomOf(row)).toBeLessThanOrEqual(14);
  const into: number[] = [];
  for (const limit of group.limits)
    algorithm.read(rows.numbers, rows.at, limit, 3_600_001, into, into.length);
  expect(into).toEqual([499, 60_000, 599, 999]);
});
