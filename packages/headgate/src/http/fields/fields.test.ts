import fc from "fast-check";
import { parseDictionary, parseItem, parseList } from "structured-headers";
import { describe, expect, it } from "vitest";
import type { Admission } from "../../core/admission.ts";
import { HeadgateError } from "../../core/errors.ts";
import type { LimitOptions } from "../../core/limit.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { type FakeClock, fakeClock } from "../../testing/fake-clock.ts";
import {
  checkFieldOptions,
  type FieldOptions,
  type Fields,
  listWith,
  type Readings,
  rateLimitFields,
} from "./fields.ts";

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

const reading = {
  name: "user-per-minute",
  layer: "user",
  unit: "requests",
  quota: 5,
  windowMs: 60_000,
  remaining: 4,
  resetMs: 59_001,
  waitMs: 0,
  refused: false,
  algorithm: "sliding-window" as const,
  waitsFor: "window" as const,
};

describe("rateLimitFields", () => {
  const list = {
    "RateLimit-Policy": '"user-per-minute";q=5;w=60, "user-per-hour";q=9;w=3600',
    RateLimit: '"user-per-minute";r=4;t=60, "user-per-hour";r=8;t=60',
  };
  const policy = { "RateLimit-Policy": "5;w=60, 9;w=3600" };
  const six = { "RateLimit-Limit": "5", "RateLimit-Remaining": "4", "RateLimit-Reset": "60" };
  const legacy = { "X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "60" };
  const shortList = "RateLimit, RateLimit-Policy, Retry-After";
  const longList = "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Retry-After";
  const seven = { ...policy, RateLimit: "limit=5, remaining=4, reset=60" };
  const cases: [FieldOptions, Fields, string][] = [
    [{}, list, shortList],
    [
      { fields: "draft", legacy: true },
      { ...list, ...legacy },
      `${shortList}, ${Object.keys(legacy).join(", ")}`,
    ],
    [{ fields: "draft-7" }, seven, shortList],
    [
      { fields: "draft-7", legacy: true },
      { ...seven, ...legacy },
      `${shortList}, ${Object.keys(legacy).join(", ")}`,
    ],
    [{ fields: "draft-6" }, { ...policy, ...six }, longList],
    [
      { fields: "draft-6", legacy: true },
      { ...policy, ...six, ...legacy },
      `${longList}, ${Object.keys(legacy).join(", ")}`,
    ],
    [{ fields: false, legacy: true }, legacy, `Retry-After, ${Object.keys(legacy).join(", ")}`],
  ];
  const hour = { ...reading, name: "user-per-hour", quota: 9, windowMs: 3_600_000, remaining: 8 };

  it.each(cases)(
    "with %j shows exactly these fields, and exposes them to scripts",
    (options, fields, exposed) => {
      const limits = { limits: [reading, hour], tightest: reading };
      expect(rateLimitFields(limits, options)).toEqual({
        ...fields,
        "Access-Control-Expose-Headers": exposed,
      });
    },
  );

  it("shows nothing if no limit applied, or no field is wanted", () => {
    expect(rateLimitFields({ limits: [], tightest: undefined }, { legacy: true })).toEqual({});
    expect(rateLimitFields({ limits: [reading], tightest: reading }, { fields: false })).toEqual({});
  });

  it.each([
    [
      undefined,
      {},
      "rateLimitFields takes an admission, or what peek returns; await both. It got undefined.",
    ],
    [{ limit: 1 }, {}, "rateLimitFields takes an admission"],
    [{ limits: [] }, { form: "draft" }, "rateLimitFields"],
    [{ limits: [] }, { legacy: "yes" }, 'legacy must be true or false, got "yes".'],
    [{ limits: [] }, { fields: true }, "fields must be false or one of draft, draft-7, draft-6, got true."],
    [{ limits: [] }, { fields: ["draft"] }, "fields must be false or one of"],
  ])("says what is wrong with %j and %j", (admission, options, message) => {
    const call = () => rateLimitFields(admission as unknown as Readings, options as FieldOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: "option-invalid" }));
  });
});

describe("the policy", () => {
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
  it("fills in the defaults", () => {
    expect(checkFieldOptions({})).toEqual({ legacy: false, fields: "draft" });
    expect(checkFieldOptions({ legacy: true, fields: false })).toEqual({ legacy: true, fields: false });
  });

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
    ["Origin,Accept ,Cookie", "Accept, Cookie", "Origin,Accept ,Cookie"],
    [["Origin", "Cookie"], "Accept", "Origin, Cookie, Accept"],
    ["RateLimit, X-Own", "RateLimit, Retry-After", "RateLimit, X-Own, Retry-After"],
  ])("adds %j and %j to %j", (before, value, list) => {
    expect(listWith(before, value)).toBe(list);
  });
});
