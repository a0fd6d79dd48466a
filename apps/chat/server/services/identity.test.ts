import fc from "fast-check";
import { createLimiter } from "headgate";
import { expect, expectTypeOf, test } from "vitest";
import { type RateLimitCaller, readUserId } from "./identity.ts";
import { addressKey, userKey } from "./limits.ts";

const address = "203.0.113.7";

test.each<[string, RateLimitCaller, string]>([
  ["an account", { account: "42", address }, "account:42"],
  ["the account before the header", { account: "42", userId: "7", address }, "account:42"],
  ["the header before the address", { userId: "7", address }, "user:7"],
  ["an address", { address }, "ip:203.0.113.7"],
  ["a header with an account's key", { userId: "account:42", address }, "user:account:42"],
  ["a header with an address's key", { userId: "ip:203.0.113.7", address }, "user:ip:203.0.113.7"],
])("the user layer counts by %s", (_case, caller, key) => {
  expect(userKey(caller)).toBe(key);
});

test.each<[string, RateLimitCaller]>([
  ["an account", { account: "42", address }],
  ["a header", { userId: "7", address }],
  ["nobody", { address }],
])("the ip layer counts the address of %s", (_case, caller) => {
  expect(addressKey(caller)).toBe("ip:203.0.113.7");
});

test("no header or address ever has an account's partition", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (account, userId, anyAddress) => {
      const verified = userKey({ account, address: anyAddress });
      expect(userKey({ userId, address: anyAddress })).not.toBe(verified);
      expect(userKey({ address: userId })).not.toBe(verified);
    }),
  );
});

test.each([undefined, "", " ", "\t "])("the X-User-Id %j counts as absent", (field) => {
  expect(readUserId(field)).toBeUndefined();
});

test.each([
  ["abc", "abc"],
  ["  abc  ", "abc"],
  ["user@example.com", "user@example.com"],
  ["a".repeat(128), "a".repeat(128)],
])("the X-User-Id %j is accepted", (field, id) => {
  expect(readUserId(field)).toBe(id);
});

test.each(["a, b", "a,b", "a b", "a".repeat(129), "é", "a\u0000b", "a\nb"])(
  "the X-User-Id %j is rejected",
  (field) => {
    expect(() => readUserId(field)).toThrow(expect.objectContaining({ status: 400 }));
  },
);

test("a limiter with a key function for another caller type does not compile", () => {
  interface Stranger {
    passport: string;
  }
  expectTypeOf(userKey).parameter(0).toEqualTypeOf<RateLimitCaller>();
  const make = () =>
    createLimiter<RateLimitCaller>({
      name: "chat",
      // @ts-expect-error: a key function must be for the limiter's own caller.
      layers: [{ name: "user", key: (caller: Stranger) => caller.passport, limits: "5/minute" }],
    });
  expectTypeOf(make).returns.not.toBeAny();
});
