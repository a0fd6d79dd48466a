import { describe, expect, it } from "vitest";
import type { Admission, Admitted } from "../core/admission.ts";
import { delegateEnding } from "../core/ending-delegate.ts";
import { admitUnidentified } from "../core/for-adapters.ts";
import type { LayerOptions } from "../core/policy.ts";
import type { Store } from "../core/store.ts";
import type { LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { shadowDecisions } from "../testing/shadow-decisions.ts";

interface Caller {
  user: string;
  plan?: string;
}

const ann: Caller = { user: "ann" };
const user = { name: "user", key: (caller: Caller) => caller.user };

function limited(options: Partial<LimiterOptions<Caller>> = {}) {
  const clock = fakeClock();
  const errors: unknown[] = [];
  const warnings: string[] = [];
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: [{ ...user, limits: "4/minute; 1000 tokens/hour; 3 concurrent" }],
    clock,
    onError: (error) => errors.push(error),
    onWarning: (warning) => warnings.push(warning),
    onOutage: () => {},
    ...options,
  });
  return { limiter, clock, errors, warnings, decisions: shadowDecisions(limiter) };
}

/** Creates a shared store that answers live questions normally and a shadow's questions in another way. */
function spoiled(decide: Store["decide"]): { store: Store; asked: () => number } {
  const over = memoryStore();
  let asked = 0;
  const store: Store = {
    ...scriptedStore(over),
    async decide(charges, ...rest) {
      if (!charges[0]?.space.includes("/shadow/")) return over.decide(charges, ...rest);
      asked += 1;
      return decide(charges, ...rest);
    },
  };
  return { store, asked: () => asked };
}

describe("a shadow in memory", () => {
  it("decides synchronously, on its own counts, and refuses nobody", () => {
    const { limiter, decisions } = limited();
    limiter.setShadow([{ name: "user", limits: "2/minute" }]);
    const answers = Array.from({ length: 6 }, () => limiter.admit(ann) as Admission);
    expect(answers.map(({ admitted }) => admitted)).toEqual([true, true, true, false, false, false]);
    expect(decisions.waiting.map(({ shadow }) => shadow.admitted)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(decisions.waiting.map(({ live }) => live)).toEqual(answers);
    expect(decisions.waiting[2]).toMatchObject({
      limiter: "chat",
      shadow: { reason: "quota-exceeded", retryAfterSeconds: 60, binding: { name: "user-per-minute" } },
      partitions: [{ layer: "user", key: "ann", plan: undefined }],
    });
    expect(limiter.shadowReport()).toMatchObject({
      limiter: "chat",
      decisions: 6,
      wouldRefuse: 4,
      newlyRefused: 1,
      stillRefused: 3,
      newlyAdmitted: 0,
    });
  });

  it("reports by layer and plan, and names the policies", async () => {
    const { limiter, clock } = limited({
      layers: [
        {
          ...user,
          plan: ({ plan }) => plan,
          plans: { free: "1/minute", pro: "2/minute" },
          defaultPlan: "free",
        },
      ],
    });
    clock.advance(5);
    limiter.setShadow([
      { name: "user", plans: { free: "2/minute", pro: "1/minute" }, defaultPlan: "free" },
      { name: "all", key: () => "all", limits: "3/minute" },
    ]);
    for (let n = 0; n < 3; n += 1) await limiter.admit(ann);
    for (let n = 0; n < 3; n += 1) await limiter.admit({ user: "bob", plan: "pro" });
    const report = limiter.shadowReport();
    expect(report?.policy).toMatch(/^[0-9a-f]{16}$/);
    expect(report?.policy).not.toBe(limiter.policy.hash);
    expect(report).toMatchObject({
      since: clock.now(),
      decisions: 6,
      wouldRefuse: 3,
      newlyRefused: 1,
      stillRefused: 2,
      newlyAdmitted: 1,
      layers: [
        { layer: "user", plan: "free", decisions: 3, wouldRefuse: 1, newlyRefused: 0, stillRefused: 1 },
        { layer: "user", plan: "pro", decisions: 3, wouldRefuse: 2, newlyRefused: 1, stillRefused: 1 },
        { layer: "all", plan: undefined, decisions: 6, wouldRefuse: 0 },
      ],
    });
  });

  it("takes no room in the live store", () => {
    const store = memoryStore({ maxPartitions: 100 });
    const { limiter } = limited({ store });
    limiter.setShadow([{ name: "user", limits: "2/minute" }]);
    for (let n = 0; n < 5; n += 1) void limiter.admit({ user: `user ${n}` });
    const alone = memoryStore({ maxPartitions: 100 });
    const plain = limited({ store: alone });
    for (let n = 0; n < 5; n += 1) void plain.limiter.admit({ user: `user ${n}` });
    expect(store.size).toEqual(alone.size);
  });

  it("settles, extends, ends and refunds together with the live reservation", async () => {
    const { limiter } = limited();
    limiter.setShadow([{ name: "user", limits: "500 tokens/hour; 2 concurrent" }]);
    const first = (await limiter.admit(ann, { cost: { tokens: 300 } })) as Admitted;
    await first.extend({ tokens: 300 });
    expect(limiter.shadowReport()?.extensions).toEqual({ decisions: 1, wouldRefuse: 1 });
    await first.end({ tokens: 100 });
    const second = (await limiter.admit(ann, { cost: { tokens: 400 } })) as Admitted;
    await second.report({ tokens: 350 });
    await second.end("nothing");
    await limiter.admit(ann, { cost: { tokens: 400 } });
    expect(limiter.shadowReport()).toMatchObject({ decisions: 3, wouldRefuse: 0 });
  });

  it("ends when a delegate reports the use, and not before", async () => {
    const { limiter } = limited();
    limiter.setShadow([{ name: "user", limits: "1 concurrent" }]);
    const admission = (await limiter.admit(ann)) as Admitted;
    delegateEnding(admission, { responseOver() {}, scopeOver() {} });
    await admission.end();
    await limiter.admit(ann);
    expect(limiter.shadowReport()).toMatchObject({ newlyRefused: 1 });
    await admission.end({ tokens: 1 });
    await limiter.admit(ann);
    expect(limiter.shadowReport()).toMatchObject({ newlyRefused: 1, decisions: 3 });
  });

  it("frees places immediately if the live request is refused, and keeps the estimate charged", async () => {
    const { limiter } = limited({ layers: [{ ...user, limits: "1/minute" }] });
    limiter.setShadow([{ name: "user", limits: "1 concurrent; 100 tokens/hour" }]);
    const first = (await limiter.admit(ann, { cost: { tokens: 40 } })) as Admitted;
    await first.end();
    for (let n = 0; n < 2; n += 1) await limiter.admit(ann, { cost: { tokens: 40 } });
    expect(limiter.shadowReport()).toMatchObject({
      decisions: 3,
      newlyAdmitted: 1,
      stillRefused: 1,
      layers: [{ wouldRefuse: 1 }],
    });
  });

  it("decides a waiting request once, at its first try", async () => {
    const { limiter, clock, decisions } = limited({ layers: [{ ...user, limits: "1/minute" }] });
    limiter.setShadow([{ name: "user", limits: "2/minute; 1 concurrent" }]);
    await limiter.admit(ann);
    const waiting = limiter.wait(ann);
    await new Promise(setImmediate);
    clock.advance(60_000);
    const admission = await waiting;
    expect(admission.admitted).toBe(true);
    const events = [await decisions.next(), await decisions.next()];
    expect(events[1]?.live).toBe(admission);
    expect(limiter.shadowReport()).toMatchObject({ decisions: 2 });

    const refused = await limiter.wait(ann, { maxWaitMs: 0 });
    expect(refused.admitted).toBe(false);
    expect((await decisions.next()).live).toBe(refused);

    const controller = new AbortController();
    const left = limiter.wait(ann, { signal: controller.signal });
    await new Promise(setImmediate);
    controller.abort();
    await expect(left).rejects.toThrow();
    expect(limiter.shadowReport()).toMatchObject({ decisions: 3, undecided: 0 });
  });
});

describe("setShadow", () => {
  it("with an invalid policy throws and changes nothing", () => {
    const { limiter } = limited();
    expect(() => limiter.setShadow({} as never)).toThrow(/setShadow takes a list of layers/);
    expect(() => limiter.setShadow([{ name: "user", limits: "5/minut" }])).toThrow(/5\/minut/);
    expect(() => limiter.setShadow([{ name: "org", limits: "5/minute" }])).toThrow(/needs a key function/);
    expect(limiter.shadowReport()).toBeUndefined();
    limiter.setShadow([{ name: "user", limits: "2/minute" }]);
    const before = limiter.shadowReport()?.policy;
    expect(() => limiter.setShadow([])).toThrow(/at least one layer/);
    expect(limiter.shadowReport()?.policy).toBe(before);
    void limiter.close();
    expect(() => limiter.setShadow([{ name: "user", limits: "2/minute" }])).toThrow(/has been closed/);
  });

  it("keeps the counts of the previous candidate, and begins a new report", () => {
    const { limiter } = limited();
    limiter.setShadow([{ name: "user", limits: "2/minute" }]);
    for (let n = 0; n < 2; n += 1) void limiter.admit(ann);
    limiter.setShadow([{ name: "user", limits: "3/minute" }]);
    for (let n = 0; n < 2; n += 1) void limiter.admit(ann);
    expect(limiter.endShadow()).toMatchObject({ decisions: 2, wouldRefuse: 1 });
    expect(limiter.endShadow()).toBeUndefined();
    void limiter.admit(ann);
    expect(limiter.shadowReport()).toBeUndefined();
  });

  it("goes live with setPolicy, on the live counts", () => {
    const { limiter } = limited({ layers: [{ ...user, limits: "10/minute" }] });
    for (let n = 0; n < 4; n += 1) void limiter.admit(ann);
    const candidate = [{ name: "user", limits: "5/minute" }];
    limiter.setShadow(candidate);
    for (let n = 0; n < 2; n += 1) void limiter.admit(ann);
    expect(limiter.shadowReport()).toMatchObject({ wouldRefuse: 0 });
    limiter.setPolicy(candidate);
    expect((limiter.admit(ann) as Admission).admitted).toBe(false);
    expect(limiter.shadowReport()).toMatchObject({ decisions: 3, newlyAdmitted: 1 });
  });

  it("warns, and lets costs name the shadow's units", () => {
    const { limiter, warnings } = limited({ layers: [{ ...user, limits: "5/minute" }] });
    limiter.setShadow([{ name: "user", limits: "60/minute; 10/hour; 100 tokens/day" }]);
    expect(warnings.every((warning) => warning.startsWith("The shadow: "))).toBe(true);
    expect(warnings.length).toBeGreaterThan(0);
    void limiter.admit(ann, { cost: { tokens: 101 } });
    expect(limiter.shadowReport()).toMatchObject({ newlyRefused: 1 });
  });

  it("looks up a plan once for both policies if it cannot differ", async () => {
    let lookups = 0;
    const layer: LayerOptions<Caller> = {
      ...user,
      plan: async ({ plan }) => {
        lookups += 1;
        return plan;
      },
      plans: { free: "3/minute", pro: "5/minute" },
      defaultPlan: "free",
    };
    const { limiter, decisions } = limited({ layers: [layer] });
    limiter.setShadow([{ name: "user", plans: { free: "2/minute", pro: "5/minute" }, defaultPlan: "free" }]);
    await limiter.admit({ user: "bob", plan: "pro" });
    expect((await decisions.next()).shadow.plan).toBe("pro");
    expect(lookups).toBe(1);
    limiter.setShadow([{ name: "user", plans: { free: "2/minute", team: "5/minute" }, defaultPlan: "free" }]);
    await limiter.admit({ user: "bob", plan: "team" });
    expect((await decisions.next()).shadow.plan).toBe("team");
    expect(lookups).toBe(3);
  });

  it("counts callers under an override or a block separately", async () => {
    const { limiter } = limited();
    limiter.setShadow([{ name: "user", limits: "1/minute" }]);
    limiter.override(ann, { limits: "unlimited" });
    limiter.block({ user: "bob" });
    for (let n = 0; n < 3; n += 1) await limiter.admit(ann);
    await limiter.admit({ user: "bob" });
    await limiter.admit({ user: "eve" });
    expect(limiter.shadowReport()).toMatchObject({ decisions: 1, wouldRefuse: 0, overridden: 4 });
  });

  it("is reset and penalised along with the live counts", async () => {
    const { limiter } = limited();
    limiter.setShadow([{ name: "user", limits: "3/minute" }]);
    await limiter.penalise(ann, { requests: 3 });
    await limiter.admit(ann);
    expect(limiter.shadowReport()).toMatchObject({ newlyRefused: 1 });
    await limiter.reset(ann, { layer: "user" });
    await limiter.admit(ann);
    expect(limiter.shadowReport()).toMatchObject({ decisions: 2, newlyRefused: 1 });
  });

  it("counts unidentified callers together", () => {
    const { limiter } = limited();
    limiter.setShadow([{ name: "user", limits: "1/minute" }]);
    for (let n = 0; n < 2; n += 1) void admitUnidentified(limiter);
    expect(limiter.shadowReport()).toMatchObject({ decisions: 2, newlyRefused: 1 });
  });
});

describe("a shadow over a shared store", () => {
  it("is called in the same turn as the live decision", async () => {
    const store = scriptedStore();
    const { limiter, decisions } = limited({ store });
    await limiter.admit(ann);
    limiter.setShadow([{ name: "user", limits: "1/minute" }]);
    store.mode = "hang";
    const answer = limiter.admit(ann);
    expect(store.held).toBe(2);
    store.answerHeld();
    expect((await answer).admitted).toBe(true);
    expect((await decisions.next()).shadow.admitted).toBe(true);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("out of order"))],
    [
      "throws",
      () => {
        throw new Error("out of order");
      },
    ],
    ["answers nonsense", () => ({ admitted: "perhaps" }) as never],
  ] as const)(
    "that %s does not affect live answers or the breaker, and is reported once",
    async (_what, decide) => {
      const { store } = spoiled(decide);
      const { limiter, errors } = limited({ store });
      limiter.setShadow([{ name: "user", limits: "1/minute" }]);
      const answers = [];
      for (let n = 0; n < 12; n += 1) answers.push(await limiter.admit(ann));
      expect(answers.map(({ admitted }) => admitted)).toEqual(answers.map((_, n) => n < 3));
      await new Promise(setImmediate);
      expect(limiter.status()).toMatchObject({ state: "closed", counters: { failures: 0 } });
      expect(limiter.shadowReport()).toMatchObject({ decisions: 0, undecided: 12 });
      expect(errors).toHaveLength(1);
      for (const answer of answers) if (answer.admitted) await answer.end({ tokens: 5 });
      expect(errors).toHaveLength(1);
    },
  );

  it("that does not answer delays no live answer, and refunds late charges", async () => {
    const over = memoryStore();
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { store } = spoiled(async (...asked) => {
      await held;
      return over.decide(...asked);
    });
    const adjusted: string[] = [];
    const { limiter, clock } = limited({
      store: {
        ...store,
        async adjust(adjustments, now) {
          for (const { space, ended } of adjustments) if (ended) adjusted.push(space);
          return over.adjust(adjustments, now);
        },
      },
      timeouts: { storeMs: 20 },
    });
    limiter.setShadow([{ name: "user", limits: "1/minute" }]);
    const answer = (await limiter.admit(ann)) as Admitted;
    expect(answer).toMatchObject({ admitted: true, decidedBy: "store" });
    expect(limiter.shadowReport()).toMatchObject({ decisions: 0, undecided: 0 });
    await expect.poll(() => limiter.shadowReport()?.undecided).toBe(1);
    release();
    await expect.poll(() => adjusted).toEqual(["chat/shadow/user"]);
    const limits = limiter.policy.layers[0]?.limits;
    if (limits === undefined) throw new Error("The layer has no limits.");
    const asked = { space: "chat/shadow/user", key: "ann", limits, ...limits.usualAmounts };
    expect(over.decide([asked], clock.now(), true).readings[0]?.[0]?.remaining).toBe(4);
  });

  it("is not called while the store is down; its requests then count as undecided", async () => {
    const store = scriptedStore();
    const { limiter } = limited({ store });
    limiter.setShadow([{ name: "user", limits: "1/minute" }]);
    await limiter.admit(ann);
    store.mode = "reject";
    for (let n = 0; n < 5; n += 1) await limiter.admit({ user: "bob" });
    expect(limiter.status().state).toBe("open");
    const { decide } = store.calls;
    for (let n = 0; n < 3; n += 1) await limiter.admit(ann);
    expect(store.calls.decide).toBe(decide);
    expect(limiter.shadowReport()).toMatchObject({ decisions: 1, undecided: 8 });
  });

  it("decides requests that the live limiter refuses from memory, and those that it refuses itself without a call", async () => {
    const { store, asked } = spoiled(memoryStore().decide);
    const { limiter, decisions } = limited({ store, layers: [{ ...user, limits: "1/minute" }] });
    limiter.setShadow([{ name: "user", limits: "3/minute" }]);
    const answers = [];
    for (let n = 0; n < 40; n += 1) {
      answers.push(await limiter.admit(ann));
      await decisions.next();
    }
    expect(answers[20]?.decidedBy).toBe("refusal-memory");
    expect(limiter.shadowReport()).toMatchObject({ decisions: 40, newlyAdmitted: 2, stillRefused: 37 });
    expect(asked()).toBe(4);
  });
});
