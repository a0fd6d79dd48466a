import fc from "fast-check";
import { parseDictionary, parseItem, parseList } from "structured-headers";
import { describe, expect, it } from "vitest";
import type { Admission } from "../../core/admission.ts";
import { HeadgateError } from "../../core/errors.ts";
import type { LimitOptions } from "../../core/limit.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import { checkFieldOptions, type Fields, listWith, rateLimitFields } from "./fields.ts";

/** Policies with all possible quotas, windows and names, and what is spent of them. */
const policies = fc.record({
  limits: fc.uniqueArray(
    fc.record({
      quota: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(100_000, 1_000_000_000)),
      windowMs: fc.integer({ min: 1, max: 366 * 86_400 }).map((seconds) => seconds * 100),
      unit: fc.constantFrom("requests", "tokens", "images-2"),
    }),
    { minLength: 1, maxLength: 4, selector: ({ windowMs }) => windowMs },
  ),
  layer: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  spendings: fc.array(fc.record({ tokens: fc.integer({ min: 0, max: 1000 }), afterMs: fc.nat(100_000) }), {
    minLength: 1,
    maxLength: 6,
  }),
});

/** `undefined` for a policy that `createLimiter` refuses. */
function limiterOf(layer: string, limits: readonly LimitOptions[], clock: FakeClock) {
  try {
    const layers = [{ name: layer, key: (key: string) => key, limits }];
    return createLimiter<string>({ name: "chat", layers, units: ["tokens"], clock, onWarning: () => {} });
  } catch (error) {
    if (error instanceof HeadgateError) return undefined;
    throw error;
  }
}

/** Parses with an independent implementation of RFC 9651. */
function parseAll(form: "draft" | "draft-7" | "draft-6", fields: Fields): unknown {
  const state = fields.RateLimit ?? "";
  const policy = parseList(fields["RateLimit-Policy"] ?? "");
  if (form === "draft") return [policy, parseList(state)];
  if (form === "draft-7") return [policy, parseDictionary(state)];
  return [
    policy,
    ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"].map((name) =>
      parseItem(fields[name] ?? ""),
    ),
  ];
}

const forms = ["draft", "draft-7", "draft-6"] as const;

describe.each(forms)("the fields of %s", (form) => {
  it("are valid structured fields, whatever the policy", () => {
    fc.assert(
      fc.property(policies, ({ limits, layer, spendings }) => {
        const clock = fakeClock();
        const limiter = limiterOf(layer, limits, clock);
        fc.pre(limiter !== undefined);
        for (const { tokens, afterMs } of spendings) {
          const admission = limiter?.admit("a", { cost: { requests: 1, tokens } }) as Admission;
          const parsed = parseAll(form, rateLimitFields(admission, { fields: form }));
          const [policy, state] = parsed as [unknown[], { size: number; length: number }];
          expect(policy).toHaveLength(limits.length);
          expect(state.size ?? state.length).toBe(form === "draft" ? limits.length : 3);
          clock.advance(afterMs);
        }
      }),
    );
  });
});

describe("the policy", () => {
  const reading = {
    name: "user-per-minute",
    layer: "user",
    unit: "requests",
    quota: 5,
    windowMs: 60_000,
    remaining: 4,
    resetMs: 60_000,
    waitMs: 0,
    refused: false,
    algorithm: "sliding-window" as const,
    waitsFor: "window" as const,
  };
  const policyOf = (...limits: (typeof reading)[]) =>
    rateLimitFields({ limits, tightest: limits[0] })["RateLimit-Policy"];

  it.each([
    [{ name: "user-per-hour" }, '"user-per-hour";q=5;w=60'],
    [{ quota: 6 }, '"user-per-minute";q=6;w=60'],
    [{ windowMs: 90_000 }, '"user-per-minute";q=5;w=90'],
    [{ unit: "tokens" }, '"user-per-minute";q=5;w=60;qu="tokens"'],
  ])("is rebuilt if it differs by %j from the previous request", (change, policy) => {
    const before = '"user-per-minute";q=5;w=60';
    expect([policyOf(reading), policyOf({ ...reading, remaining: 3 })]).toEqual([before, before]);
    expect(policyOf({ ...reading, ...change })).toBe(policy);
    expect(policyOf(reading, { ...reading, ...change })).toBe(`${before}, ${policy}`);
    expect(policyOf(reading)).toBe(before);
  });
});

describe("checkFieldOptions", () => {
  it("names an unknown form, and the forms that exist", () => {
    expect(() => checkFieldOptions({ fields: "draft-8" as "draft" })).toThrow(
      'fields must be false or one of draft, draft-7, draft-6, got "draft-8".',
    );
  });
});

describe("listWith", () => {
  it.each([
    [undefined, "Accept", "Accept"],
    ["", "Accept", "Accept"],
    ["Origin", "Accept", "Origin, Accept"],
    ["origin, ACCEPT", "Accept", "origin, ACCEPT"],
    [["Origin", "Cookie"], "Accept", "Origin, Cookie, Accept"],
    ["RateLimit, X-Own", "RateLimit, Retry-After", "RateLimit, X-Own, Retry-After"],
  ])("adds %j and %j to %j", (before, value, list) => {
    expect(listWith(before, value)).toBe(list);
  });
});
