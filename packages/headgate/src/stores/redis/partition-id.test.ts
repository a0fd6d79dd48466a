import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partitionKeys, slotOf } from "./partition-id.ts";

describe("partitionKeys", () => {
  it("writes space and key in braces, behind the prefix", () => {
    const keyOf = partitionKeys("headgate:");
    expect(keyOf("user", "account:42")).toBe("headgate:{user:account:42}");
    expect(keyOf("a:b{c}", "d")).toBe("headgate:{a%3ab%7bc%7d:d}");
  });

  it("never gives two partitions the same key in UTF-8", () => {
    const keyOf = partitionKeys("");
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(":", ";", "%", "{", "}", "a", '"', "\ud800", "\udc00", "\ufffd") }),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(text, text, text, text, (space, key, otherSpace, otherKey) => {
        const same = space === otherSpace && key === otherKey;
        const [one, other] = [keyOf(space, key), keyOf(otherSpace, otherKey)].map((stored) =>
          Buffer.from(stored),
        );
        expect(one?.equals(other as Buffer)).toBe(same);
      }),
      {
        examples: [
          ["a:b", "c", "a", "b:c"],
          ["a", "\ud800", "a", "\udfff"],
          ["a", '"\\ud800"', "a", "\ud800"],
        ],
      },
    );
  });
});

describe("slotOf", () => {
  it.each([
    // From the specification's CRC, and from CLUSTER KEYSLOT.
    ["123456789", 0x31c3],
    ["{user1000}.following", slotOf("user1000")],
    ["foo{}{bar}", 8363],
    ["foo{{bar}}zap", slotOf("{bar")],
    ["foo{bar}{zap}", slotOf("bar")],
    ["headgate:{user:å}", slotOf("user:å")],
  ])("of %s is %i", (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});
