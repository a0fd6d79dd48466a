import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Admission, Admitted, Refused } from "../../core/admission.ts";
import type { Cost } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge } from "../../core/store.ts";
import type { DecisionEvent, LimiterOptions } from "../../limiter/contract.ts";
import { createLimiter } from "../../limiter/limiter.ts";
import { memoryStore } from "../../stores/memory/index.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { scriptedStore } from "../../testing/scripted-store.ts";
import { createRefusalMemory } from "./refusal-memory.ts";

interface Caller {
  user: string;
  ip: string;
}

const alice: Caller = { user: "alice", ip: "203.0.113.7" };
const chat: LimiterOptions<Caller>["layers"] = [
  { name: "user", key: ({ user }) => user, limits: "5/minute; 60/hour" },
  { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
];

function guarded(layers = chat) {
  const clock = fakeClock();
  const shared = memoryStore();
  const store = scriptedStore(shared);
  const decisions: DecisionEvent[] = [];
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers,
    store,
    clock,
    onDecision: (event) => decisions.push(event),
    onError: () => {},
  });
  const other = createLimiter<Caller>({ name: "chat", layers, store: shared, clock });
  const admit = async (caller: Partial<Caller> = {}, cost: Cost = {}) =>
    limiter.admit({ ...alice, ...caller }, { cost });
  return { clock, store, limiter, other, admit, decisions };
}

async function spent(limits = 5, layers = chat) {
  const all = guarded(layers);
  for (let n = 0; n < limits; n += 1) await all.admit();
  expect(await all.admit()).toMatchObject({ admitted: false, decidedBy: "store" });
  all.store.calls.decide = 0;
  return all;
}

describe("a caller who has been refused", () => {
  it("costs the store at most one call a second, for any number of sequential or concurrent requests", async () => {
    const { admit, clock, store, limiter } = await spent();
    for (let n = 0; n < 50; n += 1) {
      const answers = await Promise.all(Array.from({ length: 40 }, () => admit()));
      expect(answers.every(({ admitted }) => !admitted)).toBe(true);
      clock.advance(100);
    }
    // Five seconds; the call for the first one was made before.
    expect(store.calls.decide).toBe(4);
    expect(limiter.status().counters).toMatchObject({ byStore: 10, byRefusalMemory: 1996 });
  });

  it("gets the same answers as from the store over time, and is admitted at the same moment", async () => {
    const { admit, clock, limiter, other } = await spent();
    for (const advance of [0, 1, 500, 498, 1, 0, 700, 20_000, 300, 37_999]) {
      clock.advance(advance);
      const truth = other.peek(alice) as Refused;
      const { decidedBy, ...told } = (await admit()) as Refused;
      const { decidedBy: _, ...expected } = truth;
      expect(told).toEqual(expected);
      expect(await limiter.peek(alice)).toMatchObject(expected);
      expect(["store", "refusal-memory"]).toContain(decidedBy);
    }
    clock.advance(1);
    expect((await admit()).admitted).toBe(true);
  });

  it("is marked, in the admission and in the event", async () => {
    const { admit, decisions } = await spent();
    expect(await admit()).toMatchObject({ decidedBy: "refusal-memory" });
    expect(decisions.at(-1)?.admission.decidedBy).toBe("refusal-memory");
  });

  it("is admitted again at most a second after another process refunded something", async () => {
    const { admit, clock, other } = await spent();
    other.reset(alice);
    clock.advance(999);
    expect((await admit()).admitted).toBe(false);
    clock.advance(1);
    const answers = await Promise.all([admit(), admit(), admit(), admit(), admit(), admit()]);
    expect(answers.map(({ admitted }) => admitted)).toEqual([true, true, true, true, true, false]);
  });

  it("is admitted again at once after this process refunded something", async () => {
    const clock = fakeClock();
    const store = scriptedStore();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "2/minute; 2 concurrent; 100 tokens/hour" }],
      store,
      clock,
    });
    const admit = async (cost: Cost = {}) => (await limiter.admit("a", { cost })) as Admitted;
    const first = await admit({ tokens: 50 });
    const second = await admit({ tokens: 50, requests: 0 });
    expect((await admit()).admitted).toBe(false);
    await second.end();
    expect(await admit()).toMatchObject({ admitted: false, decidedBy: "store", binding: { unit: "tokens" } });
    await first.end({ tokens: 10 });
    expect((await admit()).admitted).toBe(true);
    expect((await admit()).admitted).toBe(false);
    await limiter.reset("a");
    expect((await admit()).admitted).toBe(true);
  });

  it("is admitted again if it was refused during a refund", async () => {
    const { admit, store } = guarded([{ name: "user", key: ({ user }) => user, limits: "2/minute" }]);
    const first = (await admit()) as Admitted;
    await admit();
    store.mode = "hang";
    const refused = admit();
    const ending = first.end("nothing");
    store.mode = "answer";
    store.answerHeld();
    await ending;
    expect((await refused).admitted).toBe(false);
    expect(await admit()).toMatchObject({ admitted: true, decidedBy: "store" });
  });

  it("is not confused with another caller, nor its request with another request", async () => {
    const layers: typeof chat = [
      { name: "user", key: ({ user }) => user, limits: "2/minute; 100 tokens/minute sliding-window" },
    ];
    const { admit, store, clock } = guarded(layers);
    await admit({}, { tokens: 60 });
    expect(await admit({}, { tokens: 60 })).toMatchObject({ admitted: false });
    store.calls.decide = 0;
    expect((await admit({}, { tokens: 40 })).admitted).toBe(true);
    expect((await admit({ user: "bob" }, { tokens: 60 })).admitted).toBe(true);
    clock.advance(1000);
    expect((await admit({}, { requests: 0, tokens: 0 })).admitted).toBe(true);
    expect(store.calls.decide).toBe(3);
  });

  it("does not get too short a wait if it asks for more than was refused", async () => {
    const layers: typeof chat = [
      { name: "user", key: ({ user }) => user, limits: "100 tokens/hour sliding-window" },
    ];
    const { admit, clock, other } = guarded(layers);
    await admit({}, { tokens: 50 });
    clock.advance(500);
    await admit({}, { tokens: 50 });
    await admit({}, { tokens: 50 });
    const more = (await admit({}, { tokens: 100 })) as Refused;
    expect(more.retryAfterMs).toBe((other.peek(alice, { cost: { tokens: 100 } }) as Refused).retryAfterMs);
  });

  it("is refused by its address under any number of names, with few calls", async () => {
    const { admit, store, clock } = await spent(30, [
      { name: "user", key: ({ user }) => user, limits: "40/minute" },
      { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
    ]);
    for (let n = 0; n < 1000; n += 1) {
      const refused = (await admit({ user: `forged${n}` })) as Refused;
      expect(refused).toMatchObject({ admitted: false, binding: { layer: "ip" } });
      clock.advance(5);
    }
    // Five seconds.
    expect(store.calls.decide).toBeLessThanOrEqual(5 * 8);
    expect((await admit({ ip: "198.51.100.1" })).admitted).toBe(true);
  });

  it("gets the longest known wait if its address is flooded", async () => {
    interface Talker extends Caller {
      talk: string;
    }
    const clock = fakeClock();
    const store = scriptedStore();
    const limiter = createLimiter<Talker>({
      name: "chat",
      layers: [
        { name: "user", key: ({ user }) => user, limits: "5/minute" },
        { name: "ip", key: ({ ip }) => ip, limits: "5/10 seconds" },
        { name: "talk", key: ({ talk }) => talk, limits: "100/minute" },
      ],
      store,
      clock,
    });
    for (let n = 0; n < 6; n += 1) await limiter.admit({ ...alice, talk: "first" });
    for (let n = 0; n < 10; n += 1) await limiter.admit({ ...alice, user: `forged${n}`, talk: "first" });
    clock.advance(400);
    const refused = (await limiter.admit({ ...alice, talk: "second" })) as Refused;
    expect(refused).toMatchObject({ decidedBy: "refusal-memory", retryAfterMs: 59_600 });
  });

  it("is refused permanently if it asks for more than a quota; if the wait is not known, the store is asked again", async () => {
    const layers: typeof chat = [
      { name: "user", key: ({ user }) => user, limits: "5/minute; 100 tokens/hour sliding-window" },
    ];
    const { admit, store, other } = await spent(5, layers);
    for (let n = 0; n < 10; n += 1) await admit({ ip: `${n}` });
    expect(await admit({}, { tokens: 101 })).toMatchObject({
      decidedBy: "refusal-memory",
      reason: "cost-exceeds-quota",
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
    // Tokens are free. Only the request has to wait, as long as any other request.
    expect(await admit({}, { tokens: 100 })).toMatchObject({
      decidedBy: "refusal-memory",
      retryAfterMs: (other.peek(alice, { cost: { tokens: 100 } }) as Refused).retryAfterMs,
    });
    expect(store.calls.decide).toBe(0);
    // The wait for two requests at once is not known.
    expect(await admit({}, { requests: 2 })).toMatchObject({ decidedBy: "store" });
  });

  it("uses a remembered wait for holders for at most a fifth of a second", async () => {
    const clock = fakeClock();
    const store = scriptedStore();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "1 concurrent" }],
      store,
      clock,
    });
    await limiter.admit("alice");
    expect(await limiter.admit("alice")).toMatchObject({ decidedBy: "store", waitsFor: "holders" });
    clock.advance(199);
    expect(await limiter.admit("alice")).toMatchObject({ decidedBy: "refusal-memory", waitsFor: "holders" });
    clock.advance(1);
    expect(await limiter.admit("alice")).toMatchObject({ decidedBy: "store" });
    await limiter.close();
  });

  it("is checked with the store again if the store fails meanwhile, and no request waits for it twice", async () => {
    const { admit, store, clock } = await spent();
    clock.advance(1000);
    store.mode = "reject";
    const answers = await Promise.all(Array.from({ length: 20 }, () => admit()));
    expect(answers.every(({ decidedBy }) => decidedBy === "outage-policy")).toBe(true);
    expect(store.calls.decide).toBe(1);
  });
});

describe("the refusal memory", () => {
  const charge = (key: string) => {
    const { limiter } = guarded();
    const limits = limiter.policy.layers[1]?.limits;
    if (limits === undefined) throw new Error("no limits");
    return [{ space: "ip", key, limits, needs: [1], spends: [1] }];
  };
  const refused = {
    admitted: false,
    now: 0,
    readings: [[{ remaining: 0, waitMs: 5000, resetMs: 5000 }]],
    marks: [],
  };

  it("keeps a bounded number of partitions; for a dropped one the store is asked again, and it is not admitted", () => {
    const memory = createRefusalMemory(100);
    const first = charge("first");
    memory.remember(first, refused, 0, 0);
    expect(memory.find(first, 1)).toMatchObject({ outcome: { admitted: false } });
    for (let n = 0; n < 1000; n += 1)
      memory.remember([{ ...first[0], key: `k${n}` } as never], refused, 0, 0);
    expect(memory.size).toBe(100);
    expect(memory.find(first, 1)).toBeUndefined();
  });

  it("computes from the time of the call, and reports the wait from the time of the answer", () => {
    const memory = createRefusalMemory();
    const asked = charge("a");
    memory.remember(
      asked,
      { ...refused, readings: [[{ remaining: 0, waitMs: 500, resetMs: 500 }]] },
      1000,
      1200,
    );
    expect(memory.find(asked, 1300)).toMatchObject({ outcome: { readings: [[{ waitMs: 400 }]] } });
    expect(memory.find(asked, 1499)).toMatchObject({ outcome: { readings: [[{ waitMs: 201 }]] } });
    expect(memory.find(asked, 1500)).toBeUndefined();
  });

  it("does not keep a refusal caused by requests that are not decided yet", () => {
    const memory = createRefusalMemory();
    const asked = charge("a");
    memory.remember(asked, { ...refused, contended: true }, 0, 0);
    expect(memory.find(asked, 1)).toBeUndefined();
    expect(memory.size).toBe(0);
  });

  it("does not keep a refusal of a cost above the quota, nor forgets another refusal for it", () => {
    const memory = createRefusalMemory();
    const asked = charge("a");
    const above = [{ ...asked[0], needs: [1001] }] as unknown as readonly Charge[];
    const never = { remaining: 0, waitMs: Number.POSITIVE_INFINITY, resetMs: 5000 };
    memory.remember(above, { ...refused, readings: [[never]] }, 0, 0);
    expect(memory.size).toBe(0);
    memory.remember(asked, refused, 1, 1);
    memory.remember(above, { ...refused, readings: [[never]] }, 2, 2);
    expect(memory.find(asked, 3)).toMatchObject({ outcome: { readings: [[{ waitMs: 4998 }]] } });
  });

  it("asks the store at once if limits have been raised or changed in any way", () => {
    const memory = createRefusalMemory();
    const asked = charge("a");
    memory.remember(asked, refused, 0, 0);
    const raised = [
      { ...asked[0], limits: compileLimits("ip", "1000/minute") },
    ] as unknown as readonly Charge[];
    expect(memory.find(raised, 1)).toBeUndefined();
    expect(memory.find(asked, 1)).toMatchObject({ outcome: { admitted: false } });
  });

  it("does not let an older answer replace a newer one", () => {
    const memory = createRefusalMemory();
    const asked = charge("a");
    memory.remember(asked, refused, 100, 110);
    memory.remember(asked, { ...refused, readings: [[{ remaining: 0, waitMs: 9, resetMs: 9 }]] }, 50, 120);
    expect(memory.find(asked, 200)).toMatchObject({ outcome: { readings: [[{ waitMs: 4910 }]] } });
  });
});

it("never refuses a request that the store would admit, and gives the same answers as the store", async () => {
  const step = fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        user: fc.integer({ min: 0, max: 2 }),
        ip: fc.integer({ min: 0, max: 1 }),
        cost: fc.record({ tokens: fc.integer({ min: 0, max: 6 }) }, { requiredKeys: [] }),
      }),
    },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 900 }) },
  );
  const refusedBy: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (script) => {
      const layers: typeof chat = [
        { name: "user", key: ({ user }) => user, limits: "3/4 seconds; 10 tokens/3 seconds sliding-window" },
        { name: "ip", key: ({ ip }) => ip, limits: "4/2 seconds fixed-window" },
      ];
      const { clock, limiter, other } = guarded(layers);
      for (const one of script) {
        if (typeof one === "number") {
          clock.advance(one);
          continue;
        }
        const caller = { user: `${one.user}`, ip: `${one.ip}` };
        const truth = other.peek(caller, { cost: one.cost }) as Admission;
        const answer = await limiter.admit(caller, { cost: one.cost });
        expect(answer.admitted).toBe(truth.admitted);
        if (answer.admitted || truth.admitted) continue;
        // Only this process spends. Requests that it admitted in the last second may not show in other layers yet.
        expect(answer.retryAfterMs).toBeLessThanOrEqual(truth.retryAfterMs);
        expect(answer.retryAfterMs).toBeGreaterThan(0);
        refusedBy[answer.decidedBy] = (refusedBy[answer.decidedBy] ?? 0) + 1;
        if (answer.decidedBy === "store") expect(answer.retryAfterMs).toBe(truth.retryAfterMs);
      }
    }),
    { numRuns: 200 },
  );
  expect(refusedBy.store).toBeGreaterThan(100);
  expect(refusedBy["refusal-memory"]).toBeGreaterThan(100);
});
