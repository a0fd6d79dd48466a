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

it("keeps the first count of a shared account as long as it counts, even if nothing is charged to the account", () => {
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
