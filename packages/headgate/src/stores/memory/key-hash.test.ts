import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashKey } from "./key-hash.ts";

function hashOf(text: string): string {
  const hash = { high: 0, low: 0 };
  hashKey(text, hash);
  return `${hash.high} ${hash.low}`;
}

describe("hashKey", () => {
  it("distinguishes texts that differ very little", () => {
    const text = fc
      .array(fc.nat({ max: 0xffff }), { maxLength: 300 })
      .map((units) => String.fromCharCode(...units));
    fc.assert(fc.property(text, text, (a, b) => (hashOf(a) === hashOf(b)) === (a === b)));
  });

  it.each([
    ["", "\u0000"],
    ["a", "a\u0000"],
    ["a".repeat(31), "a".repeat(32)],
    [`${"a".repeat(2000)}b`, `${"a".repeat(2000)}c`],
    ["ab", "ba"],
  ])("distinguishes two similar texts", (a, b) => {
    expect(hashOf(a)).not.toBe(hashOf(b));
  });

  it("gives different hashes to many names, spread evenly over the shared accounts", () => {
    const hash = { high: 0, low: 0 };
    const seen = new Set<string>();
    const accounts = new Uint32Array(64);
    for (let n = 0; n < 200_000; n += 1) {
      hashKey(`user:${n}`, hash);
      seen.add(`${hash.high} ${hash.low}`);
      accounts[hash.low & 63] = (accounts[hash.low & 63] as number) + 1;
    }
    expect(seen.size).toBe(200_000);
    // A perfect hash would give 3,125 each.
    expect(Math.max(...accounts)).toBeLessThan(6000);
  });
});
