import { describe, expect, it } from "vitest";
import type { Admission, LimitReading } from "../../core/admission.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { admissionIn, isDecided, markGuarded, readingsOf, reportLate } from "./decisions.ts";

function limiterOf(name: string, limits: string) {
  const errors: unknown[] = [];
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name, key: (key) => key || null, limits }],
    clock: fakeClock(),
    onError: (error) => errors.push(error),
  });
  return { limiter, errors, decision: () => ({ limiter, admission: limiter.admit("a") as Admission }) };
}

describe("readingsOf", () => {
  it("returns the admission itself if one limiter decided", () => {
    const one = limiterOf("user", "2/minute").decision();
    expect(readingsOf([one])).toBe(one.admission);
  });

  it.each([
    ["2/minute", "1/hour", "b"],
    ["1/minute", "2/hour", "a"],
    ["2/minute", "2/hour", "b"],
  ])("finds the tightest of %s and %s", (first, second, tightest) => {
    const [a, b] = [limiterOf("a", first).decision(), limiterOf("b", second).decision()];
    const readings = readingsOf([a, b]);
    expect(readings.limits.map(({ layer }: LimitReading) => layer)).toEqual(["a", "b"]);
    expect(readings.tightest?.layer).toBe(tightest);
  });

  it("has no tightest limit if no layer applied", () => {
    const one = limiterOf("user", "2/minute");
    const none = { limiter: one.limiter, admission: one.limiter.admit("") as Admission };
    expect(readingsOf([none, none])).toEqual({ limits: [], tightest: undefined });
  });
});

describe("admissionIn", () => {
  it("returns the admission of the nearest guard, or of the given limiter", () => {
    const [a, b] = [limiterOf("a", "2/minute"), limiterOf("b", "2/minute")];
    const decisions = [a.decision(), b.decision()];
    expect(admissionIn(decisions)).toBe(decisions[1]?.admission);
    expect(admissionIn(decisions, a.limiter)).toBe(decisions[0]?.admission);
    expect(admissionIn(decisions, limiterOf("c", "2/minute").limiter)).toBeUndefined();
    expect(admissionIn(undefined)).toBeUndefined();
  });
});

describe("a misplaced guard", () => {
  it("is reported with the path, without the query string", () => {
    const { limiter, errors, decision } = limiterOf("user", "2/minute");
    const decisions = [decision()];
    expect(isDecided(limiter, decisions, "POST", "/chat?token=secret")).toBe(true);
    expect(isDecided(limiter, decisions, "POST", "/other")).toBe(true);
    expect(isDecided(limiter, undefined, "POST", "/chat")).toBe(false);
    expect(errors.map(String)).toEqual([
      "HeadgateError: The same limiter guards POST /chat twice, and charges it once. Mount it in one place, or create a limiter for each.",
    ]);
  });

  it("is reported when the application starts, if guards wrap handlers", () => {
    const { limiter, errors } = limiterOf("user", "2/minute");
    const other = limiterOf("user", "2/minute");
    const inner = markGuarded(
      limiter,
      () => {},
      () => {},
    );
    const between = markGuarded(other.limiter, inner, () => {});
    expect(errors).toEqual([]);
    markGuarded(limiter, inner, () => {});
    expect(String(errors[0])).toContain("The same limiter wraps a handler twice");
    expect([errors.length, other.errors.length, typeof between]).toEqual([1, 0, "function"]);
  });

  it("is reported once if it runs too late", () => {
    const { limiter, errors } = limiterOf("user", "2/minute");
    reportLate(limiter);
    reportLate(limiter);
    expect(errors.map(String)).toEqual([
      expect.stringContaining("A response had begun before rateLimit ran"),
    ]);
  });
});
