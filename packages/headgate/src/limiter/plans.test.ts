import { describe, expect, it, vi } from "vitest";
import type { Admission, Admitted, Refused } from "../core/admission.ts";
import { admitUnidentified } from "../core/for-adapters.ts";
import type { LayerOptions } from "../core/policy.ts";
import { rateLimitFields, refusal } from "../http/index.ts";
import { fakeClock } from "../testing/index.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import type { LimiterOptions } from "./contract.ts";
import { createLimiter } from "./limiter.ts";

interface Caller {
  id: string;
  plan?: unknown;
}

const plans = { free: "2/hour", pro: "5/hour", staff: "unlimited", closed: "blocked" };

function planned(plan: (caller: Caller) => unknown, options: Partial<LimiterOptions<Caller>> = {}) {
  const clock = fakeClock();
  const errors: Error[] = [];
  const onDecision = vi.fn();
  const limiter = createLimiter<Caller>({
    name: "planned",
    layers: [{ name: "org", key: ({ id }) => id, plans, plan: plan as never, defaultPlan: "free" }],
    clock,
    onError: (error) => errors.push(error as Error),
    onDecision,
    onWarning: () => {},
    ...options,
  });
  const admit = (plan?: unknown, id = "acme") => limiter.admit({ id, plan });
  return { limiter, clock, errors, onDecision, admit };
}

const byPlan = ({ plan }: Caller) => plan;

describe("a layer with plans", () => {
  it("counts each caller by its plan, and reports the plan", () => {
    const { admit, errors, onDecision } = planned(byPlan);
    const pro = admit("pro") as Admitted;
    expect(pro.limits.map(({ name, quota, remaining }) => [name, quota, remaining])).toEqual([
      ["org-per-hour", 5, 4],
    ]);
    expect(pro.plan).toBe("pro");
    expect(JSON.parse(JSON.stringify(pro)).plan).toBe("pro");
    expect(onDecision.mock.lastCall?.[0].partitions).toEqual([{ layer: "org", key: "acme", plan: "pro" }]);
    expect((admit("free") as Admission).plan).toBe("free");
    expect(errors).toEqual([]);
  });

  it("gives callers without a plan the default plan, and reports nothing", async () => {
    const { admit, errors } = planned(byPlan);
    expect((admit(undefined) as Admission).plan).toBe("free");
    expect(((await admit(Promise.resolve(undefined))) as Admission).plan).toBe("free");
    expect(errors).toEqual([]);
  });

  it("looks a plan up asynchronously, as a promise or a query that runs when awaited", async () => {
    const { admit } = planned(byPlan);
    // biome-ignore lint/suspicious/noThenProperty: queries of several libraries have `then`.
    const query = { then: (resolve: (plan: string) => void) => resolve("pro") };
    expect(admit("pro")).not.toBeInstanceOf(Promise);
    expect(((await admit(Promise.resolve("pro"))) as Admission).plan).toBe("pro");
    expect(((await admit(query)) as Admission).plan).toBe("pro");
  });

  it.each([
    ["nobody", '"nobody"'],
    ["constructor", '"constructor"'],
    ["__proto__", '"__proto__"'],
    ["toString", '"toString"'],
    ["", '""'],
    ["Pro", '"Pro"'],
    [null, "null"],
    [1, "1"],
    [{}, "an object"],
  ])("uses the default plan for %j, and reports it once", async (plan, shown) => {
    const { admit, errors } = planned(byPlan);
    for (let n = 0; n < 3; n += 1) expect((admit(plan) as Admission).plan).toBe("free");
    expect(((await admit(Promise.resolve(plan))) as Admission).plan).toBe("free");
    expect(errors.map(({ message }) => message)).toEqual([
      `Layer "org" has no plan ${shown}: its plans are "free", "pro", "staff", "closed". Plan "free" applies.`,
    ]);
  });

  it("uses the default plan if the lookup fails, and reports the first of several failures", async () => {
    let fails = true;
    const { limiter, admit, errors, clock } = planned(() => {
      if (fails) throw new Error("connection lost");
      return "pro";
    });
    let admitted = 0;
    for (let n = 0; n < 50; n += 1) if ((admit() as Admission).admitted) admitted += 1;
    expect(admitted).toBe(2);
    expect(errors.map(({ message }) => message)).toEqual([
      'The limits of a caller in layer "org" could not be looked up: connection lost. Plan "free" applies.',
    ]);
    fails = false;
    expect((admit() as Admission).plan).toBe("pro");
    fails = true;
    admit();
    expect(errors.length).toBe(2);
    clock.advance(1);
    await limiter.close();
  });

  it("uses the default plan if the lookup rejects or takes longer than timeouts.lookupMs", async () => {
    const { admit, errors, clock } = planned(byPlan, { timeouts: { lookupMs: 40 } });
    expect(((await admit(Promise.reject(new Error("timeout")))) as Admission).plan).toBe("free");
    let answer: (plan: string) => void = () => {};
    const late = admit(new Promise((resolve) => (answer = resolve)), "late");
    const inTime = admit(new Promise((resolve) => clock.after?.(39, () => resolve("pro"))), "in time");
    clock.advance(39);
    expect(((await inTime) as Admission).plan).toBe("pro");
    clock.advance(1);
    answer("staff");
    expect(((await late) as Admission).plan).toBe("free");
    expect(errors.map(({ message }) => message)).toEqual([
      'The limits of a caller in layer "org" could not be looked up: timeout. Plan "free" applies.',
      'The limits of a caller in layer "org" could not be looked up: plan took longer than 40 ms. Plan "free" applies.',
    ]);
  });

  it("looks up plans for peek, wait, penalise and reset too", async () => {
    const { limiter } = planned(({ plan }) => Promise.resolve(plan));
    const caller = { id: "a", plan: "pro" };
    await limiter.penalise(caller, { requests: 4 });
    expect((await limiter.peek(caller)).limits[0]?.remaining).toBe(1);
    expect((await limiter.wait(caller)).admitted).toBe(true);
    expect((await limiter.admit(caller)).admitted).toBe(false);
    await limiter.reset(caller);
    expect((await limiter.peek(caller)).limits[0]?.remaining).toBe(5);
  });

  it("keeps what was spent when the plan changes, over the widest window of all plans from the start", () => {
    const { limiter, clock } = planned(byPlan, {
      layers: [
        {
          name: "org",
          key: ({ id }) => id,
          plans: { burst: "3/minute", daily: "4/day" },
          plan: ({ plan }) => plan as string,
          defaultPlan: "burst",
        },
      ],
    });
    const admit = (plan: string) => (limiter.admit({ id: "acme", plan }) as Admission).admitted;
    expect([admit("burst"), admit("burst"), admit("burst")]).toEqual([true, true, true]);
    clock.advance(3_600_000);
    expect([admit("daily"), admit("daily")]).toEqual([true, false]);
  });

  it("gives unidentified callers the default plan without a lookup", async () => {
    const plan = vi.fn(() => "pro");
    const { limiter } = planned(plan);
    expect((await admitUnidentified(limiter)).plan).toBe("free");
    expect((await limiter.admit({ id: undefined as never })).plan).toBe("free");
    expect(plan).not.toHaveBeenCalled();
  });
});

describe("blocked and unlimited", () => {
  it("refuses a blocked caller permanently, and charges nothing in any layer", async () => {
    const { limiter, clock } = planned(byPlan, {
      layers: [
        { name: "ip", key: () => "192.0.2.1", limits: "2/hour" },
        { name: "org", key: ({ id }) => id, plans, plan: ({ plan }) => plan as string, defaultPlan: "free" },
      ],
    });
    for (let n = 0; n < 10; n += 1) {
      const refused = limiter.admit({ id: "acme", plan: "closed" }, { cost: { requests: 0 } }) as Refused;
      const { admitted, reason, retryAfterMs, decidedBy, plan } = refused;
      expect({ admitted, reason, retryAfterMs, decidedBy, plan }).toEqual({
        admitted: false,
        reason: "blocked",
        retryAfterMs: Number.POSITIVE_INFINITY,
        decidedBy: "policy",
        plan: "closed",
      });
      expect(refused.binding.name).toBe("org-blocked");
      expect(refused.affordable).toEqual({ requests: 0 });
    }
    const { limits } = limiter.admit({ id: "acme", plan: "pro" }) as Admission;
    expect(limits.map(({ remaining }) => remaining)).toEqual([1, 4]);
    expect(await limiter.wait({ id: "acme", plan: "closed" })).toMatchObject({ reason: "blocked" });
    expect(await limiter.peek({ id: "acme", plan: "closed" })).toMatchObject({ reason: "blocked" });
    clock.advance(1);
  });

  it("always admits an unlimited caller, shows no limit, and keeps what was spent", () => {
    const { admit, clock, limiter } = planned(byPlan);
    for (let n = 0; n < 2000; n += 1) {
      const admitted = admit("staff") as Admitted;
      expect(admitted.admitted).toBe(true);
      if (n === 0)
        expect([admitted.limits, admitted.tightest, admitted.plan]).toEqual([[], undefined, "staff"]);
    }
    expect(admit("pro")).toMatchObject({ admitted: false, retryAfterMs: 3_600_000 });
    clock.advance(3_600_000);
    expect((admit("pro") as Admission).admitted).toBe(true);
    limiter.reset({ id: "acme", plan: "staff" });
    expect((admit("pro") as Admission).limits[0]?.remaining).toBe(4);
  });

  it("counts an unlimited caller's use of units that other plans count", async () => {
    const { limiter } = planned(byPlan, {
      layers: [
        {
          name: "org",
          key: ({ id }) => id,
          plans: { free: "1000 tokens/day", staff: "unlimited" },
          plan: ({ plan }) => plan as string,
          defaultPlan: "free",
        },
      ],
    });
    const admitted = limiter.admit({ id: "a", plan: "staff" }, { cost: { tokens: 50_000 } }) as Admitted;
    expect(admitted.admitted).toBe(true);
    await admitted.end({ tokens: 400 });
    const { affordable } = (await limiter.admit(
      { id: "a", plan: "free" },
      { cost: { tokens: 700 } },
    )) as Refused;
    expect(affordable).toEqual({ tokens: 600 });
  });

  it("may be the only limits of a layer", () => {
    const only = (limits: string) => {
      const limiter = createLimiter({
        name: "only",
        layers: [{ name: "all", key: () => "all", limits }],
        onWarning: () => {},
      });
      const { admitted, limits: shown } = limiter.admit({}) as Admission;
      return [admitted, shown.map(({ name }) => name)];
    };
    expect(only("unlimited")).toEqual([true, []]);
    expect(only(" Blocked ")).toEqual([false, ["all-blocked"]]);
  });
});

describe("a layer with individual limits", () => {
  const texts: Record<string, unknown> = {
    five: "5/hour",
    nonsense: "5/fortnight",
    promise: Promise.resolve("9/hour"),
    rejected: Promise.reject(new Error("late")),
    unit: "5 words/hour",
    number: 5,
  };
  (texts.rejected as Promise<unknown>).catch(() => {});

  function owned() {
    const errors: Error[] = [];
    const limiter = createLimiter<string>({
      name: "owned",
      layers: [
        {
          name: "org",
          key: () => "acme",
          limits: (name) => {
            if (name === "throws") throw new Error("connection lost");
            return texts[name] as string;
          },
          defaultLimits: "2/hour",
          units: ["requests"],
        },
      ],
      onError: (error) => errors.push(error as Error),
      onWarning: () => {},
    });
    return { limiter, errors };
  }

  it("counts by the returned text", () => {
    const { limiter, errors } = owned();
    expect((limiter.admit("five") as Admission).limits[0]?.quota).toBe(5);
    expect(errors).toEqual([]);
  });

  it.each([
    ["nonsense", "Cannot read the limit"],
    ["promise", 'Layer "org" has a limits function that returned a promise, and it must return text'],
    ["rejected", 'Layer "org" has a limits function that returned a promise'],
    ["unit", 'Layer "org" has a limit of "words", and its units are "requests".'],
    ["number", 'Layer "org" needs text such as "60/hour" from limits, got 5.'],
    ["nothing", "got undefined."],
    ["throws", "could not be looked up: connection lost. The value of defaultLimits applies."],
  ])("has the default limits for %s, never those of another caller, and reports it once", (name, message) => {
    const { limiter, errors } = owned();
    expect((limiter.admit("five") as Admission).limits[0]?.quota).toBe(5);
    for (let n = 0; n < 5; n += 1) expect((limiter.admit(name) as Admission).limits[0]?.quota).toBe(2);
    expect(errors.length).toBe(1);
    expect(errors[0]?.message).toContain(message);
  });
});

describe("invalid plans, when the limiter is created", () => {
  const layer = { name: "org", key: () => "acme" };
  const plan = () => "free";
  it.each<[object, string]>([
    [{ plans: {}, plan, defaultPlan: "free" }, 'Layer "org" has no plans: name at least one'],
    [{ plans: "5/minute", plan, defaultPlan: "free" }, 'needs plans such as { free: "500/day"'],
    [{ plans: { free: "5/minute" }, defaultPlan: "free" }, "has plans, and needs plan: a function"],
    [{ plans: { free: "5/minute" }, plan: "free", defaultPlan: "free" }, 'got "free"'],
    [{ plans: { free: "5/minute" }, plan }, 'needs a defaultPlan, one of "free", got undefined'],
    [{ plans: { free: "5/minute" }, plan, defaultPlan: "toString" }, 'got "toString"'],
    [{ plans: { free: "5/fortnight" }, plan, defaultPlan: "free" }, 'Cannot read the limit "5/fortnight"'],
    [{ plans: { free: undefined }, plan, defaultPlan: "free" }, 'Plan "free" of layer "org" needs limits'],
    [
      { plans: { "": "5/minute" }, plan, defaultPlan: "" },
      'has a plan named "": a name has 1 to 100 characters',
    ],
    [
      { plans: { free: "5/minute" }, plan, defaultPlan: "free", limits: "5/minute" },
      "cannot have limits too",
    ],
    [{ limits: () => "5/minute" }, "has limits that depend on the caller, and needs units"],
    [{ limits: () => "5/minute", units: ["requests"] }, "needs defaultLimits, such as"],
    [{ limits: () => "5/minute", units: "requests", defaultLimits: "5/minute" }, 'got "requests"'],
    [{ limits: () => "5/minute", units: ["Big"], defaultLimits: "5/minute" }, 'got "Big"'],
    [{ limits: "5/minute", units: ["requests"] }, "cannot have units too"],
    [{ limits: "5/minute; blocked" }, '"blocked" must be the only limit'],
    [{ limits: ["5/minute", "unlimited"] }, '"unlimited" must be the only limit'],
    [
      { plans: { free: "5/minute", pro: "9/minute; 5/hour" }, plan, defaultPlam: "free" },
      'did you mean "defaultPlan"?',
    ],
  ])("%j", (options, message) => {
    expect(() => createLimiter({ name: "chat", layers: [{ ...layer, ...options }] } as never)).toThrow(
      message,
    );
  });

  it("names the plan in its warnings", () => {
    const onWarning = vi.fn();
    const plans = { free: "5/minute", pro: "9/minute; 5/hour" };
    createLimiter({ name: "warned", layers: [{ ...layer, plans, plan, defaultPlan: "free" }], onWarning });
    expect(onWarning.mock.calls).toEqual([
      [
        'Plan "pro" of layer "org": 9/minute can never bind, because 5/hour is reached first. Remove it, or raise the other.',
      ],
    ]);
  });

  it.each([0, 60_001, "250"])("lookupMs: %s", (lookupMs) => {
    const layers = [{ ...layer, limits: "5/minute" }];
    expect(() => createLimiter({ name: "chat", layers, timeouts: { lookupMs } } as never)).toThrow(
      "timeouts.lookupMs must be a whole number from 1 to 60000",
    );
  });
});

it("warns once about requests to which no layer applies", async () => {
  const onWarning = vi.fn();
  const limiter = createLimiter({
    name: "uncounted",
    layers: [{ name: "user", key: () => null, limits: "5/minute" }],
    onWarning,
  });
  for (let n = 0; n < 3; n += 1) expect((await limiter.admit({})).admitted).toBe(true);
  expect(onWarning.mock.calls).toEqual([
    ['No layer of the limiter "uncounted" applies to a request: every key is null, and it is not counted.'],
  ]);
});

describe("on the wire", () => {
  const layers = [
    { name: "all", key: () => "all", limits: "unlimited" },
    {
      name: "org",
      key: ({ id }: Caller) => id,
      plans,
      plan: ({ plan }: Caller) => plan as string,
      defaultPlan: "free",
    },
  ];

  it("a blocked caller gets a 403 without quota fields", async () => {
    const { limiter } = planned(byPlan, { layers });
    const refused = (await limiter.admit({ id: "acme", plan: "closed" })) as Refused;
    const { status, headers, body } = refusal(refused);
    expect({ status, headers, body: JSON.parse(body) }).toEqual({
      status: 403,
      headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
      body: {
        type: "about:blank",
        title: "Forbidden",
        status: 403,
        detail: "This caller is blocked.",
        "violated-policies": ["org-blocked"],
        error: "Blocked",
        retry_after_seconds: null,
        waits_for: "window",
        affordable: { requests: 0 },
      },
    });
  });

  it("no form of the fields names an unlimited limit", async () => {
    const { limiter } = planned(byPlan, { layers });
    const free = await limiter.admit({ id: "a", plan: "free" });
    expect(rateLimitFields(free)).toMatchObject({
      "RateLimit-Policy": '"org-per-hour";q=2;w=3600',
      RateLimit: '"org-per-hour";r=1;t=3600',
    });
    const staff = await limiter.admit({ id: "a", plan: "staff" });
    for (const fields of ["draft", "draft-7", "draft-6"] as const)
      expect(rateLimitFields(staff, { fields, legacy: true })).toEqual({});
    expect(rateLimitFields(staff)).toEqual({});
  });

  it("a refusal by another layer includes the plan, also from memory and in an outage", async () => {
    const store = scriptedStore();
    const { limiter } = planned(byPlan, {
      layers: [layers[1] as LayerOptions<Caller>, { name: "ip", key: () => "one", limits: "1/hour" }],
      store,
      timeouts: { connectMs: 0 },
      onOutage: () => {},
    });
    const caller = { id: "a", plan: "pro" };
    const answers: unknown[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { plan, decidedBy } = await limiter.admit(caller);
      answers.push([plan, decidedBy]);
    }
    expect(answers).toEqual([
      ["pro", "store"],
      ["pro", "store"],
      ["pro", "refusal-memory"],
    ]);
    await limiter.close();
  });

  it("an unlimited caller is refused with a wait if the store is down and the outage policy is to refuse", async () => {
    const store = scriptedStore();
    store.mode = "reject";
    const { limiter } = planned(byPlan, {
      layers: [{ ...layers[1], outage: "refuse" } as LayerOptions<Caller>],
      store,
      timeouts: { connectMs: 0 },
      onOutage: () => {},
    });
    const refused = (await limiter.admit({ id: "a", plan: "staff" })) as Refused;
    expect(refused).toMatchObject({ reason: "store-unavailable", binding: { name: "org-unlimited" } });
    const { status, headers } = refusal(refused);
    expect([status, headers["Retry-After"]]).toEqual([503, "1"]);
    await limiter.close();
  });
});
