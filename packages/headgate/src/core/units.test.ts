import { describe, expect, expectTypeOf, it } from "vitest";
import type { Limiter } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import type { LimitOptions } from "./limit.ts";
import type { UnitsOf } from "./units.ts";

interface Caller {
  user: string;
  org?: string;
}

describe("UnitsOf", () => {
  it("reads the units of literal texts as the grammar does", () => {
    expectTypeOf<UnitsOf<"5/minute">>().toEqualTypeOf<"requests">();
    expectTypeOf<UnitsOf<"5 per minute">>().toEqualTypeOf<"requests">();
    expectTypeOf<UnitsOf<"5 requests/minute">>().toEqualTypeOf<"requests">();
    expectTypeOf<UnitsOf<"1 request per minute; 1 token/day">>().toEqualTypeOf<"requests" | "tokens">();
    expectTypeOf<UnitsOf<"100_000 Tokens/day">>().toEqualTypeOf<"tokens">();
    expectTypeOf<UnitsOf<" 2  concurrent ">>().toEqualTypeOf<"concurrent">();
    expectTypeOf<UnitsOf<"2 concurrent per 60 seconds">>().toEqualTypeOf<"concurrent">();
    expectTypeOf<UnitsOf<"200/day fixed-window in Europe/London">>().toEqualTypeOf<"requests">();
    expectTypeOf<UnitsOf<"200 per day fixed-window in Europe/London">>().toEqualTypeOf<"requests">();
    expectTypeOf<UnitsOf<"5/minute, 9 images/hour | 100 tokens/day;">>().toEqualTypeOf<
      "requests" | "images" | "tokens"
    >();
    expectTypeOf<UnitsOf<"blocked" | " Unlimited ">>().toEqualTypeOf<never>();
    expectTypeOf<UnitsOf<string>>().toEqualTypeOf<string>();
  });

  it("reads the units of objects and lists", () => {
    expectTypeOf<UnitsOf<{ quota: 5; windowMs: 1000 }>>().toEqualTypeOf<"requests">();
    expectTypeOf<UnitsOf<{ quota: 5; windowMs: 1000; unit: "tokens" }>>().toEqualTypeOf<"tokens">();
    expectTypeOf<UnitsOf<LimitOptions>>().toEqualTypeOf<string>();
    expectTypeOf<UnitsOf<readonly ["5/minute", { quota: 1; windowMs: 1; unit: "images" }]>>().toEqualTypeOf<
      "requests" | "images"
    >();
  });
});

describe("costs", () => {
  const typed = () =>
    createLimiter({
      name: "typed",
      layers: [
        {
          name: "user",
          key: (caller: Caller) => caller.user,
          limits: "5/minute; 100000 tokens/day; 2 concurrent",
        },
        {
          name: "org",
          key: (caller) => caller.org ?? null,
          plans: { free: "10 images/day", staff: "unlimited" },
          plan: () => "free",
          defaultPlan: "free",
        },
        {
          name: "own",
          key: () => "all",
          limits: (caller: Caller) => `${caller.user.length + 100}/hour`,
          defaultLimits: "100/hour",
          units: ["requests", "pages"],
        },
      ],
      units: ["seconds"],
    });

  it("may name units that a limit counts or that are declared, and no others", async () => {
    const limiter = typed();
    expectTypeOf(limiter).toEqualTypeOf<
      Limiter<Caller, "requests" | "tokens" | "concurrent" | "images" | "pages" | "seconds">
    >();
    const cost = { requests: 1, tokens: 900, concurrent: 1, images: 1, pages: 2, seconds: 3 };
    expect((await limiter.admit({ user: "ann" }, { cost })).admitted).toBe(true);
    // @ts-expect-error a unit that no limit counts
    expect(() => limiter.admit({ user: "ann" }, { cost: { token: 900 } })).toThrow(
      'The cost names "token", which no limit counts: did you mean "tokens"? The units are ',
    );
    // @ts-expect-error units are lower-case words
    expect(() => limiter.peek({ user: "ann" }, { cost: { Tokens: 900 } })).toThrow('did you mean "tokens"?');
    // @ts-expect-error a unit that no limit counts
    expect(() => limiter.penalise({ user: "ann" }, { strikes: 1 })).toThrow('The cost names "strikes"');
    // @ts-expect-error an unknown cost must be left out
    expect(() => limiter.admit({ user: "ann" }, { cost: { tokens: undefined } })).toThrow(
      "The cost in tokens is undefined: leave tokens out if it is not known yet, or give a whole number from 0 up.",
    );
  });

  it("are typed in calls on a reservation too", async () => {
    const admission = await typed().admit({ user: "bob" }, { cost: { tokens: 900 } });
    if (!admission.admitted) throw new Error("refused");
    // @ts-expect-error a unit that no limit counts
    expect(() => admission.report({ token: 5 })).toThrow('did you mean "tokens"?');
    // @ts-expect-error a unit that no limit counts
    expect(() => admission.end({ token: 5 })).toThrow('did you mean "tokens"?');
    // @ts-expect-error a unit that no limit counts
    expect(() => admission.extend({ token: 5 })).toThrow('did you mean "tokens"?');
    expect(await admission.extend({ tokens: 5, atLeast: 1 })).toMatchObject({ admitted: true });
    await admission.end({ tokens: 5 });
  });

  it("are checked at run time if limits are only known as text", async () => {
    const limits: string = "5/minute; 100 tokens/day";
    const limiter = createLimiter({
      name: "text",
      layers: [{ name: "user", key: (user: string) => user, limits }],
    });
    expectTypeOf(limiter).toEqualTypeOf<Limiter<string, string>>();
    expect((await limiter.admit("ann", { cost: { tokens: 1 } })).admitted).toBe(true);
    expect(() => limiter.admit("ann", { cost: { token: 1 } })).toThrow('The cost names "token"');
    for (const unit of ["constructor", "__proto__", "toString"]) {
      const cost = Object.fromEntries([[unit, 1]]);
      expect(() => limiter.admit("ann", { cost })).toThrow(`The cost names "${unit}"`);
    }
  });

  it("are checked at run time if the caller's type is given as a type argument", () => {
    const layers = [{ name: "user", key: (user: string) => user, limits: "5/minute" }];
    const limiter = createLimiter<string>({ name: "given", layers });
    expectTypeOf(limiter).toEqualTypeOf<Limiter<string>>();
    expect(() => limiter.admit("ann", { cost: { tokens: 1 } })).toThrow('The units are "requests"');
  });

  it("are typed if layers define limits in different forms", async () => {
    const limiter = createLimiter({
      name: "forms",
      layers: [
        { name: "user", key: (caller: Caller) => caller.user, limits: "5/minute" },
        {
          name: "all",
          key: () => "all",
          limits: [{ quota: 9, windowMs: 1000, unit: "images" }, "9 tokens/day"],
        },
        {
          name: "own",
          key: (caller) => caller.user,
          plans: { free: "9 pages/day" },
          plan: ({ org }) => org,
          defaultPlan: "free",
        },
      ],
    });
    expectTypeOf(limiter).toEqualTypeOf<Limiter<Caller, "requests" | "images" | "tokens" | "pages">>();
    expect((await limiter.admit({ user: "a" }, { cost: { images: 1, tokens: 1, pages: 1 } })).admitted).toBe(
      true,
    );
  });

  it("do not hide the compile error for an unknown option", () => {
    const key = (user: string) => user;
    const misspelt = () =>
      createLimiter({
        name: "chat",
        // @ts-expect-error the option is called outage
        layers: [{ name: "user", key, limits: "5/minute", outgae: "admit" }],
      });
    expect(misspelt).toThrow('Layer "user" has no option "outgae": did you mean "outage"?');
    const byCaller = () =>
      createLimiter({
        name: "chat",
        // @ts-expect-error limits by caller need defaultLimits and units
        layers: [{ name: "user", key, limits: () => "5/minute" }],
      });
    expect(byCaller).toThrow("needs units");
  });

  it("allow a typed limiter where any limiter is accepted", () => {
    const takes = (limiter: Limiter<Caller>) => limiter.name;
    expect(takes(typed())).toBe("typed");
  });

  it.each([[["Big"]], ["tokens"], [[1]], [[undefined]]])("need a valid list of units: %j throws", (units) => {
    const layers = [{ name: "user", key: () => "a", limits: "5/minute" }];
    expect(() => createLimiter({ name: "chat", layers, units } as never)).toThrow(
      'The units of the policy must be a list of lower-case words such as ["requests", "tokens"], got ',
    );
  });
});
