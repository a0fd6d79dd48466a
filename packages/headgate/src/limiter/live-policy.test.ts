import { eachStore } from "@headgate/test-servers/each-store.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Admitted, Refused } from "../core/admission.ts";
import { defined } from "../core/policy.ts";
import { countByHand, type HandLimit } from "../testing/count-by-hand.ts";
import { fakeClock } from "../testing/index.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import type { DecisionEvent, LimiterOptions } from "./contract.ts";
import { createLimiter } from "./limiter.ts";

interface Caller {
  user: string;
  ip: string;
  plan?: string;
}

const alice: Caller = { user: "alice", ip: "203.0.113.7" };
const second = 1000;
const minute = 60_000;

function limited(options: Partial<LimiterOptions<Caller>> = {}) {
  const clock = fakeClock();
  const warnings: string[] = [];
  const events: DecisionEvent[] = [];
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: [
      { name: "user", key: ({ user }) => user, limits: "5/minute; 1000 tokens/hour" },
      { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
    ],
    clock,
    onWarning: (warning) => warnings.push(warning),
    onDecision: (event) => events.push(event),
    onError: () => {},
    onOutage: () => {},
    ...options,
  });
  async function admittedOf(times: number, caller = alice): Promise<number> {
    let admitted = 0;
    for (let n = 0; n < times; n += 1) {
      const admission = await limiter.admit(caller);
      if (admission.admitted) admitted += 1;
    }
    return admitted;
  }
  return { limiter, clock, warnings, events, admittedOf };
}

describe("setPolicy", () => {
  it("applies from the next request, and counts earlier use", async () => {
    const { limiter, admittedOf, clock } = limited();
    expect(await admittedOf(9)).toBe(5);
    limiter.setPolicy([{ name: "user", limits: "8/minute" }]);
    expect(await admittedOf(9)).toBe(3);
    limiter.setPolicy([
      { name: "user", limits: "2/10 seconds" },
      { name: "ip", limits: "30/minute" },
    ]);
    expect(await admittedOf(9)).toBe(0);
    clock.advance(10 * second);
    expect(await admittedOf(9)).toBe(2);
    limiter.setPolicy([{ name: "user", limits: "12/minute fixed-window" }]);
    expect(await admittedOf(9)).toBe(2);
  });

  it("remembers as much as the widest limits so far need, also while a caller is unlimited", async () => {
    const { limiter, admittedOf, clock } = limited();
    limiter.setPolicy([{ name: "user", limits: "6/hour" }]);
    expect(await admittedOf(4)).toBe(4);
    limiter.setPolicy([{ name: "user", limits: "unlimited" }]);
    clock.advance(10 * minute);
    expect(await admittedOf(3)).toBe(3);
    limiter.setPolicy([{ name: "user", limits: "5/minute" }]);
    expect(await admittedOf(9)).toBe(2);
    clock.advance(10 * minute);
    limiter.setPolicy([{ name: "user", limits: "10/hour" }]);
    expect(await admittedOf(9)).toBe(1);
  });

  it("takes functions from layers of the same names, and requires them for new layers", async () => {
    const { limiter, admittedOf } = limited({
      layers: [
        {
          name: "user",
          key: ({ user }) => user,
          plan: ({ plan }) => plan,
          plans: { free: "2/minute", pro: "4/minute" },
          defaultPlan: "free",
        },
      ],
    });
    limiter.setPolicy(
      JSON.parse(
        '[{ "name": "user", "plans": { "free": "3/minute", "pro": "6/minute" }, "defaultPlan": "pro" }]',
      ),
    );
    expect(await admittedOf(9)).toBe(6);
    expect(await admittedOf(9, { ...alice, user: "bob", plan: "free" })).toBe(3);
    limiter.setPolicy([
      { name: "user", limits: "7/minute" },
      { name: "ip", key: ({ ip }) => ip, limits: "11/minute" },
    ]);
    expect(await admittedOf(9)).toBe(1);
    expect(() => limiter.setPolicy([{ name: "org", limits: "7/minute" }])).toThrow(
      /Layer "org" needs a key function/,
    );
  });

  it("with an invalid policy throws and changes nothing", async () => {
    const { limiter, admittedOf } = limited();
    const before = limiter.policy;
    const mistakes: [unknown, RegExp][] = [
      [undefined, /setPolicy takes a list of layers.*got undefined/],
      [{ layers: [] }, /setPolicy takes a list of layers.*got an object/],
      [[], /at least one layer/],
      [[null], /Layer 1 must be an object/],
      [[{ name: "user" }], /needs limits/],
      [[{ name: "user", limits: "5/minut" }], /5\/minut/],
      [[{ name: "user", limts: "5/minute" }], /no option "limts": did you mean "limits"/],
      [[{ name: "user", plans: { free: "5/minute" }, defaultPlan: "free" }], /has plans, and needs plan/],
      [
        [
          { name: "user", limits: "5/minute" },
          { name: "user", limits: "6/minute" },
        ],
        /Two layers are named "user"/,
      ],
    ];
    for (const [layers, message] of mistakes)
      expect(() => limiter.setPolicy(layers as never)).toThrow(message);
    expect(limiter.policy).toBe(before);
    expect(await admittedOf(9)).toBe(5);
  });

  it("shows the policy's hash in admissions, refusals and events", async () => {
    const { limiter, events } = limited();
    const { hash } = limiter.policy;
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(((await limiter.admit(alice)) as Admitted).policy).toBe(hash);
    limiter.setPolicy([{ name: "user", limits: "1/minute" }]);
    expect(limiter.policy.hash).not.toBe(hash);
    const refused = (await limiter.admit(alice)) as Refused;
    expect([refused.admitted, refused.policy]).toEqual([false, limiter.policy.hash]);
    expect(JSON.parse(JSON.stringify(refused)).policy).toBe(limiter.policy.hash);
    limiter.setPolicy([
      { name: "user", limits: "5/minute; 1000 tokens/hour" },
      { name: "ip", limits: "30/minute" },
    ]);
    expect(limiter.policy.hash).toBe(hash);
    limiter.setPolicy([
      { name: "user", limits: "5/minute; 1000 tokens/hour" },
      { name: "ip", limits: "30/minute", outage: "refuse" },
    ]);
    expect(limiter.policy.hash).not.toBe(hash);
    expect(events.map(({ admission }) => admission.policy)).toEqual([hash, refused.policy]);
  });

  it("keeps holds, and accepts costs in units that the policy no longer counts", async () => {
    const { limiter } = limited();
    const running = (await limiter.admit(alice, { cost: { tokens: 600 } })) as Admitted;
    limiter.setPolicy([{ name: "user", limits: "5/minute; 700 tokens/hour" }]);
    expect(await limiter.admit(alice, { cost: { tokens: 200 } })).toMatchObject({ admitted: false });
    limiter.setPolicy([{ name: "user", limits: "5/minute" }]);
    expect(await limiter.admit(alice, { cost: { tokens: 200 } })).toMatchObject({ admitted: true });
    expect(await running.extend({ tokens: 100 })).toMatchObject({ admitted: true });
    await running.end({ tokens: 650 });
    limiter.setPolicy([{ name: "user", limits: "5/minute; 1000 tokens/hour" }]);
    const { limits } = await limiter.peek(alice);
    expect(limits.map(({ remaining }) => remaining)).toEqual([3, 350]);
  });

  it("counts a new unit, and warns about probable mistakes", async () => {
    const { limiter, warnings } = limited();
    expect(() => limiter.admit(alice, { cost: { images: 1 } })).toThrow(/images/);
    limiter.setPolicy([{ name: "user", limits: "5/minute; 9/hour; 1 images/hour" }]);
    const first = (await limiter.admit(alice, { cost: { images: 1 } })) as Admitted;
    await first.end({ images: 1 });
    expect(await limiter.admit(alice, { cost: { images: 1 } })).toMatchObject({ admitted: false });
    expect(warnings).toEqual([]);
    limiter.setPolicy([{ name: "user", limits: "5/minute; 2/hour" }]);
    expect(warnings).toEqual([expect.stringMatching(/5\/minute can never bind/)]);
  });

  it("applies in an outage too", async () => {
    const store = scriptedStore();
    const { limiter, admittedOf, clock } = limited({ store });
    expect(await admittedOf(3)).toBe(3);
    clock.advance(minute);
    store.mode = "reject";
    expect(await admittedOf(9)).toBe(5);
    limiter.setPolicy([{ name: "user", limits: "7/minute" }]);
    expect(await admittedOf(9)).toBe(2);
    limiter.setPolicy([{ name: "user", limits: "7/minute", outage: "refuse" }]);
    expect(await limiter.admit(alice)).toMatchObject({ admitted: false, reason: "store-unavailable" });
  });

  it("keeps waiting callers in line, even with a new layer", async () => {
    const { limiter, clock } = limited({
      layers: [{ name: "user", key: ({ user }) => (user === "" ? null : user), limits: "5/minute" }],
    });
    const nobody = { user: "", ip: "203.0.113.9" };
    const first = limiter.wait(nobody);
    const ofIp = { name: "ip", key: ({ ip }: Caller) => ip, limits: "1/minute" };
    limiter.setPolicy([ofIp]);
    await limiter.admit(nobody);
    await new Promise(setImmediate);
    clock.advance(minute);
    expect(await first).toMatchObject({ admitted: true });
    const second = limiter.wait(nobody, { maxWaitMs: 10 * minute });
    await new Promise(setImmediate);
    limiter.setPolicy([
      { name: "ip", limits: "1/minute" },
      { name: "user", limits: "5/minute" },
    ]);
    await new Promise(setImmediate);
    clock.advance(minute);
    expect(await second).toMatchObject({ admitted: true });
    // A refusal by a new layer blames no old layer.
    const others = limited({ layers: [{ name: "user", key: ({ user }) => user, limits: "5/minute" }] });
    await others.limiter.admit({ ...alice, user: "bob" });
    others.limiter.setPolicy([{ name: "user", limits: "5/minute" }, ofIp]);
    await others.limiter.admit(alice);
    const refused = others.limiter.wait(alice, { maxWaitMs: 10 * minute });
    await new Promise(setImmediate);
    const elsewhere = others.limiter.wait({ ...alice, ip: "203.0.113.8" }, { maxWaitMs: 10 * minute });
    expect(await elsewhere).toMatchObject({ admitted: true });
    others.clock.advance(minute);
    expect(await refused).toMatchObject({ admitted: true });
  });

  it("with an invalid policy does not change the layers' memory, and changing layer names do not fill memory", () => {
    const { limiter } = limited();
    const widest = () =>
      limiter.policy.layers.map((layer) => defined(layer).memory.get("requests")?.windowMs)[0];
    const before = widest();
    const wrong = [
      { name: "user", limits: "5/30 days" },
      { name: "nope", limits: "1/minute" },
    ];
    expect(() => limiter.setPolicy(wrong)).toThrow(/nope/);
    limiter.setPolicy([{ name: "user", limits: "5/minute; 1000 tokens/hour" }]);
    expect(widest()).toBe(before);
    for (let n = 0; n < 500; n += 1)
      limiter.setPolicy([
        { name: "user", limits: "5/minute" },
        { name: `l${n}`, key: () => "x", limits: "5/minute" },
      ]);
    expect(() => limiter.setPolicy([{ name: "l7", limits: "5/minute" }])).toThrow(/needs a key function/);
    limiter.setPolicy([
      { name: "l499", limits: "5/minute" },
      { name: "user", limits: "5/minute" },
    ]);
    expect(() => limiter.setPolicy([undefined, { name: "user", limits: "5/minute" }] as never)).toThrow(
      /Layer 1 must be an object/,
    );
    limiter.setPolicy([{ name: "user", limits: "5/minute", units: undefined }] as never);
  });

  it("throws once the limiter is closed", () => {
    const { limiter } = limited();
    limiter.close();
    expect(() => limiter.setPolicy([{ name: "user", limits: "7/minute" }])).toThrow(/closed/);
  });
});

const { memory, redis, postgres } = eachStore();
const stores = [
  ["memory", memory, 300],
  ["redis", redis, 60],
  ["postgres", postgres, 40],
] as const;

const policies: Record<string, HandLimit> = {
  "5/minute": { quota: 5, windowMs: minute },
  "8/minute": { quota: 8, windowMs: minute },
  "2/minute": { quota: 2, windowMs: minute },
  "6/10 minutes": { quota: 6, windowMs: 10 * minute },
  "3/10 seconds": { quota: 3, windowMs: 10 * second },
};

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ cost: fc.integer({ min: 1, max: 3 }), process: fc.integer({ min: 0, max: 1 }) }),
    },
    { weight: 2, arbitrary: fc.record({ waitMs: fc.integer({ min: 1, max: 50 * second }) }) },
    { weight: 2, arbitrary: fc.record({ limits: fc.constantFrom(...Object.keys(policies)) }) },
  ),
  { minLength: 5, maxLength: 50 },
);

describe.each(stores)("policies that change, over %s", (_name, make, runs) => {
  it(`admit the same requests as a simple count: two processes, ${runs} histories`, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        run += 1;
        const clock = fakeClock();
        const store = make(clock);
        const name = `policies-${run}-${Math.random().toString(36).slice(2)}`;
        const limiters = [0, 1].map(() =>
          createLimiter({
            name,
            layers: [{ name: "user", key: (user: string) => user, limits: "5/minute" as string }],
            store,
            clock,
            timeouts: { storeMs: 10_000 },
            onWarning: () => {},
          }),
        );
        const count = countByHand(policies["5/minute"] as HandLimit);
        for (const step of history) {
          if ("waitMs" in step) clock.advance(step.waitMs);
          else if ("limits" in step) {
            for (const limiter of limiters) limiter.setPolicy([{ name: "user", limits: step.limits }]);
            count.limitTo(policies[step.limits] as HandLimit);
          } else {
            const limiter = limiters[step.process] as (typeof limiters)[number];
            const { must, may } = count.admits(clock.now(), step.cost);
            const { admitted } = await limiter.admit("alice", { cost: { requests: step.cost } });
            if (must || !may) expect(admitted).toBe(may);
            if (admitted) count.spend(clock.now(), step.cost);
          }
        }
        for (const limiter of limiters) await limiter.close();
      }),
      { numRuns: runs },
    );
  }, 120_000);
});
