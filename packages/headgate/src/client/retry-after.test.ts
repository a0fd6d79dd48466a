import { describe, expect, it } from "vitest";
import { quotaOf } from "./quota.ts";
import { readRetryAfterMs } from "./retry-after.ts";

const now = Date.UTC(2026, 10, 24, 12, 0, 0);

function read(
  fields: Record<string, string>,
  problem?: Record<string, unknown>,
  limits?: [number, number][],
): number {
  const quota = limits?.map(([remaining, resetSeconds], index) => ({
    name: `${index}`,
    remaining,
    resetSeconds,
  }));
  return readRetryAfterMs(new Headers(fields), problem, quota && quotaOf(quota, now), now);
}

describe("readRetryAfterMs", () => {
  it.each([
    ["42", 42_000],
    [" 0 ", 0],
    ["1.5", 1500],
    ["99999999999999999999", 2 ** 31 * 1000],
    ["Tue, 24 Nov 2026 12:00:42 GMT", 42_000],
    ["Tuesday, 24-Nov-26 12:00:42 GMT", 42_000],
    ["Tue Nov 24 12:00:42 2026", 42_000],
    ["Tue, 24 Nov 2026 11:00:00 GMT", 0],
    ["-5", 0],
    ["soon", 0],
    ["", 0],
  ])("reads Retry-After: %s as %i ms", (value, expected) => {
    expect(read({ "Retry-After": value })).toBe(expected);
  });

  it("reads a date by the server's clock, even if the local clock is wrong", () => {
    const fields = { "Retry-After": "Mon, 05 Jan 2026 00:00:30 GMT", Date: "Mon, 05 Jan 2026 00:00:00 GMT" };
    expect(read(fields)).toBe(30_000);
  });

  it("prefers the Retry-After field, then the body, then the limits", () => {
    const problem = { retry_after_seconds: 7 };
    expect(read({ "Retry-After": "5" }, problem, [[0, 9]])).toBe(5000);
    expect(read({}, problem, [[0, 9]])).toBe(7000);
    expect(read({}, {}, [[0, 9]])).toBe(9000);
  });

  it("skips a Retry-After field and a body without a readable wait", () => {
    expect(read({ "Retry-After": "later" }, { retry_after_seconds: "a while" }, [[0, 9]])).toBe(9000);
  });

  it("waits for the slowest limit with nothing left, or else for the tightest limit", () => {
    expect(
      read({}, undefined, [
        [0, 9],
        [0, 30],
        [4, 600],
      ]),
    ).toBe(30_000);
    expect(
      read({}, undefined, [
        [2, 9],
        [4, 600],
      ]),
    ).toBe(9000);
  });

  it.each([
    ["RateLimit-Reset", "30", 30_000],
    ["X-RateLimit-Reset", "30", 30_000],
    ["X-RateLimit-Reset", `${now / 1000 + 42}`, 42_000],
    ["X-RateLimit-Reset", `${now + 42_000}`, 42_000],
    ["X-RateLimit-Reset", "Tue, 24 Nov 2026 12:00:42 GMT", 42_000],
    ["X-RateLimit-Reset", "2026-11-24T12:00:42Z", 42_000],
    ["X-RateLimit-Reset", `${now / 1000 - 42}`, 0],
    ["X-RateLimit-Reset", "soon", 0],
    ["RateLimit-Reset", "", 0],
  ])("reads a single %s: %s as %i ms", (name, value, expected) => {
    expect(read({ [name]: value })).toBe(expected);
  });

  it("reads a reset time by the server's clock", () => {
    const date = Date.UTC(2026, 0, 5) / 1000;
    const fields = { "X-RateLimit-Reset": `${date + 30}`, Date: "Mon, 05 Jan 2026 00:00:00 GMT" };
    expect(read(fields)).toBe(30_000);
  });

  it("prefers any other source to a single reset field", () => {
    const reset = { "RateLimit-Reset": "60" };
    expect(read({ ...reset, "Retry-After": "5" })).toBe(5000);
    expect(read(reset, { retry_after_seconds: 7 })).toBe(7000);
    expect(read(reset, {}, [[0, 9]])).toBe(9000);
  });

  it("is infinite if the body says that no wait helps", () => {
    expect(read({}, { retry_after_seconds: null }, [[0, 9]])).toBe(Number.POSITIVE_INFINITY);
    expect(read({ "Retry-After": "5" }, { retry_after_seconds: null })).toBe(5000);
    expect(read({ "Retry-After": "later" }, { retry_after_seconds: null })).toBe(Number.POSITIVE_INFINITY);
  });

  it("is 0 without any information", () => {
    expect(read({})).toBe(0);
  });
});
