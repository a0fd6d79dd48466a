import { expect, it } from "vitest";
import type { Charge } from "../../core/store.ts";
import { hashKey } from "./key-hash.ts";
import { Overrides } from "./overrides.ts";

const block = { id: 1, limits: "blocked" };
const at = (key: string) => ({ space: "user", key });
const isBlocked = (overrides: Overrides, key: string, now: number) =>
  overrides.findAll([at(key) as Charge], now) !== undefined;

it("keeps as many as allowed, and drops none that is in force", () => {
  const overrides = new Overrides(3);
  overrides.set([at("a"), at("b")], { ...block, forMs: 10 }, 0);
  overrides.set([at("c")], block, 0);
  expect(() => overrides.set([at("d")], block, 9)).toThrow(/at most 3 blocks and overrides.*endOverride/);
  expect(["a", "b", "c", "d"].map((key) => isBlocked(overrides, key, 9))).toEqual([true, true, true, false]);
  // An existing entry needs no more room.
  overrides.set([at("a")], block, 9);
  // Only "b" has expired.
  overrides.set([at("d")], block, 10);
  expect(["a", "b", "c", "d"].map((key) => isBlocked(overrides, key, 10))).toEqual([true, false, true, true]);
});

it("checks no key once no override is left", () => {
  const overrides = new Overrides();
  const hash = { high: 0, low: 0 };
  const suspects = (key: string) => {
    hashKey(key, hash);
    return overrides.mayHave(hash);
  };
  const keys = Array.from({ length: 1000 }, (_, n) => `user:${n}`);
  overrides.set(keys.map(at), block, 0);
  expect(keys.every(suspects)).toBe(true);
  overrides.end("other", "user:1");
  for (const key of keys) overrides.end("user", key);
  expect(keys.some(suspects)).toBe(false);
});
