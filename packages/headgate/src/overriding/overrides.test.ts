import { describe, expect, it } from "vitest";
import type { Admitted, Refused } from "../core/admission.ts";
import type { Cost } from "../core/cost.ts";
import { refusal } from "../http/refusal/refusal.ts";
import type { Limiter, LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";

interface Caller {
  user: string;
  ip: string;
  plan?: string;
}

const alice: Caller = { user: "alice", ip: "203.0.113.7" };
const bob: Caller = { user: "bob", ip: "203.0.113.7" };
const second = 1000;
const minute = 60_000;
const hour = 3_600_000;
const layers: LimiterOptions<Caller>["layers"] = [
  { name: "user", key: ({ user }) => user, limits: "5/minute; 1000 tokens/hour; 2 concurrent" },
  { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
];

function limiters(options: Partial<LimiterOptions<Caller>> = {}) {
  const clock = fakeClock();
  const errors: unknown[] = [];
  const shared = memoryStore();
  const make = (store: LimiterOptions<Caller>["store"], more: Partial<LimiterOptions<Caller>> = {}) =>
    createLimiter<Caller>({
      name: "chat",
      layers,
      clock,
      onError: (error) => errors.push(error),
      onOutage: () => {},
      onWarning: () => {},
      ...options,
      ...more,
      ...(store === undefined ? {} : { store }),
    });
  const remote = scriptedStore(shared);
  return { clock, errors, shared, remote, here: make(shared), there: make(remote), make };
}

/** Sends requests one after another, each of which ends immediately. Returns how many were admitted. */
async function admittedOf(
  limiter: Limiter<Caller>,
  caller: Caller,
  times: number,
  cost?: Cost,
): Promise<number> {
  let admitted = 0;
  for (let n = 0; n < times; n += 1) {
    const admission = await limiter.admit(caller, cost === undefined ? {} : { cost });
    if (!admission.admitted) continue;
    admitted += 1;
    await admission.end();
  }
  return admitted;
}

describe("override", () => {
  it("gives one caller other limits until its end", async () => {
    const { here, clock } = limiters();
    here.override(alice, { limits: "8/minute", forMs: 10 * minute, reason: "launch day", by: "ada" });
    expect(await admittedOf(here, alice, 20)).toBe(8);
    expect(await admittedOf(here, bob, 20)).toBe(5);
    const refused = (await here.admit(alice)) as Refused;
    expect(refused).toMatchObject({ reason: "quota-exceeded", retryAfterMs: minute });
    expect(refused.binding).toMatchObject({ name: "user-per-minute", quota: 8 });
    expect(refused.overrides).toEqual([
      {
        layer: "user",
        limits: "8/minute",
        until: clock.now() + 10 * minute,
        reason: "launch day",
        by: "ada",
      },
    ]);
    expect(refusal(refused).body).not.toContain("launch day");
    clock.advance(10 * minute);
    expect(await admittedOf(here, alice, 20)).toBe(5);
    expect(((await here.peek(alice)) as Refused).overrides).toBeUndefined();
  });

  it("keeps the limits of units that it does not name", async () => {
    const { here } = limiters();
    here.override(alice, { limits: "100/minute" });
    const admitted = (await here.admit(alice, { cost: { tokens: 600 } })) as Admitted;
    expect(admitted.limits.map(({ name, quota, remaining }) => [name, quota, remaining])).toEqual([
      ["user-per-minute", 100, 99],
      ["user-tokens-per-hour", 1000, 400],
      ["user-concurrent", 2, 1],
      ["ip-per-minute", 30, 29],
    ]);
    expect(await here.admit(alice, { cost: { tokens: 600 } })).toMatchObject({ admitted: false });
    const other = (await here.admit(alice, { cost: { tokens: 1 } })) as Admitted;
    expect(await here.admit(alice, { cost: { tokens: 1 } })).toMatchObject({
      admitted: false,
      waitsFor: "holders",
    });
    await admitted.end({ tokens: 10 });
    await other.end({ tokens: 10 });
    expect((await here.peek(alice)).limits.map(({ remaining }) => remaining)).toEqual([98, 980, 2, 28]);
  });

  it("keeps what was spent, when it begins and when it ends", async () => {
    const { here, clock } = limiters();
    expect(await admittedOf(here, alice, 20)).toBe(5);
    here.override(alice, { limits: "8/minute" });
    expect(await admittedOf(here, alice, 20)).toBe(3);
    clock.advance(30 * second);
    here.endOverride(alice);
    expect(await admittedOf(here, alice, 20)).toBe(0);
    clock.advance(30 * second);
    expect(await admittedOf(here, alice, 20)).toBe(5);
    here.override(alice, { limits: "2/minute" });
    expect(await admittedOf(here, alice, 20)).toBe(0);
    await here.reset(alice);
    expect(await admittedOf(here, alice, 20)).toBe(2);
  });

  it("keeps what was spent with another algorithm, a wider window and a narrower one", async () => {
    const { here, clock } = limiters({ layers: layers.slice(0, 1) });
    expect(await admittedOf(here, alice, 3)).toBe(3);
    here.override(alice, { limits: "10/hour fixed-window" });
    expect(await admittedOf(here, alice, 20)).toBe(7);
    here.override(alice, { limits: "4/10 seconds" });
    expect(await admittedOf(here, alice, 20)).toBe(0);
    clock.advance(10 * second);
    expect(await admittedOf(here, alice, 20)).toBe(4);
    here.override(alice, { limits: "12/hour fixed-window" });
    expect(await admittedOf(here, alice, 20)).toBe(0);
    here.endOverride(alice);
    expect(await admittedOf(here, alice, 20)).toBe(0);
    clock.advance(minute);
    expect(await admittedOf(here, alice, 20)).toBe(5);
  });

  it("applies to the named layer, and other layers keep their limits", async () => {
    const { here } = limiters();
    here.override(alice, { limits: "2/minute", layer: "ip" });
    expect(await admittedOf(here, alice, 1)).toBe(1);
    expect(await admittedOf(here, bob, 5)).toBe(1);
    here.override(bob, { limits: "unlimited", layer: "ip" });
    expect(await admittedOf(here, bob, 20)).toBe(4);
    here.endOverride(alice, { layer: "ip" });
    expect((await here.peek(bob)).limits.find(({ layer }) => layer === "ip")?.remaining).toBe(24);
  });

  it("with unlimited, admits the caller and continues to count", async () => {
    const { here } = limiters({ layers: layers.slice(0, 1) });
    here.override(alice, { limits: "unlimited" });
    expect(await admittedOf(here, alice, 50, { tokens: 100 })).toBe(50);
    here.endOverride(alice);
    const refused = (await here.admit(alice, { cost: { tokens: 1 } })) as Refused;
    expect(refused.limits.map(({ remaining }) => remaining)).toEqual([0, 0, 2]);
  });

  it("admits a caller of a blocked plan while it lasts", async () => {
    const { here, there, remote, clock } = limiters({
      layers: [
        {
          name: "user",
          key: ({ user }) => user,
          plan: ({ plan }) => plan,
          plans: { free: "5/minute", closed: "blocked" },
          defaultPlan: "free",
        },
      ],
    });
    const closed: Caller = { ...alice, plan: "closed" };
    expect(await there.admit(closed)).toMatchObject({ reason: "blocked", decidedBy: "policy" });
    here.override(closed, { limits: "3/minute", forMs: hour });
    clock.advance(second);
    expect(await admittedOf(there, closed, 9)).toBe(3);
    expect(await here.admit(closed)).toMatchObject({ reason: "quota-exceeded", plan: "closed" });
    clock.advance(hour);
    for (const limiter of [here, there])
      expect(await limiter.admit(closed)).toMatchObject({ reason: "blocked", decidedBy: "policy" });
    // A caller without an override costs one call a second.
    remote.calls.decide = 0;
    for (let n = 0; n < 300; n += 1) {
      expect(await there.admit(closed)).toMatchObject({ reason: "blocked" });
      clock.advance(10);
    }
    expect(remote.calls.decide).toBeLessThanOrEqual(3);
    remote.mode = "reject";
    clock.advance(2 * second);
    expect(await there.admit(closed)).toMatchObject({ reason: "blocked", decidedBy: "policy" });
  });

  it("is replaced by a block, and by the next override", async () => {
    const { here } = limiters();
    here.override(alice, { limits: "8/minute" });
    here.block(alice, { forMs: second });
    expect(await here.admit(alice)).toMatchObject({ reason: "blocked" });
    here.override(alice, { limits: "blocked", forMs: 2 * second });
    expect(await here.admit(alice)).toMatchObject({ reason: "blocked", retryAfterMs: 2 * second });
    here.override(alice, { limits: "6/minute" });
    expect(await admittedOf(here, alice, 20)).toBe(6);
    here.unblock(alice);
    expect(((await here.peek(alice)) as Refused).binding.quota).toBe(5);
  });

  it("does not change what an admitted request was granted, and counts its use under both limits", async () => {
    const { here } = limiters({ layers: layers.slice(0, 1) });
    const running = (await here.admit(alice, { cost: { tokens: 400 } })) as Admitted;
    here.override(alice, { limits: "300 tokens/hour" });
    expect(await running.extend({ tokens: 600 })).toMatchObject({ admitted: true });
    expect(await here.admit(alice, { cost: { tokens: 1 } })).toMatchObject({ admitted: false });
    await running.end({ tokens: 200 });
    const { limits } = await here.peek(alice);
    expect(limits.find(({ unit }) => unit === "tokens")).toMatchObject({ quota: 300, remaining: 100 });
    const under = (await here.admit(alice, { cost: { tokens: 100 } })) as Admitted;
    here.endOverride(alice);
    await under.end({ tokens: 90 });
    expect(
      (await here.peek(alice)).limits.find(({ unit }) => unit === "tokens")?.remaining,
    ).toBeGreaterThanOrEqual(710);
  });

  it("counts a penalty, and admits waiting callers", async () => {
    const { here, clock } = limiters({ layers: layers.slice(0, 1) });
    here.override(alice, { limits: "4/minute" });
    here.penalise(alice, { requests: 3 });
    expect(await admittedOf(here, alice, 9)).toBe(1);
    const waiting = here.wait(alice, { maxWaitMs: 2 * minute });
    clock.advance(minute);
    expect(await waiting).toMatchObject({ admitted: true });
  });

  it("wakes waiting callers whenever it changes", async () => {
    const { here, clock } = limiters({
      layers: [{ name: "user", key: ({ user }) => user, limits: "1/minute" }],
    });
    const changes: [string, () => unknown][] = [
      ["override", () => here.override(alice, { limits: "5/minute" })],
      ["reset", () => here.reset(alice)],
      ["setPolicy", () => here.setPolicy([{ name: "user", limits: "100/minute" }])],
    ];
    await here.admit(alice);
    for (const [_name, change] of changes) {
      here.endOverride(alice);
      for (let n = 0; n < 100; n += 1) await here.admit(alice);
      const waiting = here.wait(alice, { maxWaitMs: 10 * minute });
      await new Promise(setImmediate);
      change();
      expect(await waiting).toMatchObject({ admitted: true, at: clock.now() });
    }
    here.block(bob, { forMs: minute });
    const blocked = here.wait(bob, { maxWaitMs: 10 * minute });
    await new Promise(setImmediate);
    here.unblock(bob);
    expect(await blocked).toMatchObject({ admitted: true });
  });

  it("of some units, continues to count the others of an unlimited plan, without showing them", async () => {
    const { here } = limiters({
      layers: [
        {
          name: "user",
          key: ({ user }) => user,
          plan: ({ plan }) => plan,
          plans: { free: "5/minute; 100 tokens/hour", staff: "unlimited", closed: "blocked" },
          defaultPlan: "free",
        },
      ],
    });
    const staff: Caller = { ...alice, plan: "staff" };
    here.override(staff, { limits: "50 tokens/minute" });
    for (let n = 0; n < 5; n += 1) {
      const admitted = (await here.admit(staff, { cost: { tokens: 10 } })) as Admitted;
      expect(admitted.limits.map(({ name }) => name)).toEqual(["user-tokens-per-minute"]);
      await admitted.end({ tokens: 10 });
    }
    expect(await here.admit(staff, { cost: { tokens: 10 } })).toMatchObject({ admitted: false });
    here.endOverride(staff);
    expect((await here.peek(alice)).limits.map(({ remaining }) => remaining)).toEqual([0, 50]);
    // For a blocked plan, the override must limit requests.
    const closed: Caller = { ...bob, plan: "closed" };
    expect(() => here.override(closed, { limits: "10 tokens/minute" })).toThrow(
      /must limit requests too, such as "5\/minute; 10 tokens\/minute"/,
    );
    expect(await here.admit(closed, { cost: { tokens: 0 } })).toMatchObject({ reason: "blocked" });
  });

  it("that can never admit a cost reports a wait until it ends", async () => {
    const { here, clock } = limiters();
    here.override(alice, { limits: "3/minute", forMs: 20 * second });
    expect(await here.admit(alice, { cost: { requests: 5 } })).toMatchObject({
      reason: "quota-exceeded",
      retryAfterMs: 20 * second,
    });
    clock.advance(20 * second);
    expect(await here.admit(alice, { cost: { requests: 5 } })).toMatchObject({ admitted: true });
    here.override(alice, { limits: "3/minute" });
    expect(await here.admit(alice, { cost: { requests: 5 } })).toMatchObject({
      reason: "cost-exceeds-quota",
    });
  });

  it("throws for invalid options with an explanation, and changes nothing", async () => {
    const { here, clock } = limiters();
    const mistakes: [unknown, RegExp][] = [
      [undefined, /override takes an object, such as \{ limits: "1000\/hour" \}, got undefined/],
      [{}, /override needs limits as text, such as "1000\/hour", got undefined/],
      [{ limits: 5 }, /needs limits as text.*got 5/],
      [{ limits: "5/minut" }, /5\/minut/],
      [{ limits: "" }, /./],
      [{ limits: "5 widgets/minute" }, /limits "widgets", which the policy does not count: its units are/],
      [{ limits: "5/minute; 5/minute" }, /twice/],
      [{ limits: `5/minute${" ".repeat(500)}` }, /at most 500 characters, got 508/],
      [{ limits: "9/minute", forMs: 0 }, /forMs must be/],
      [{ limits: "9/minute", until: clock.now() }, /later than now/],
      [{ limits: "9/minute", untill: 5 }, /did you mean "until"/],
      [{ limits: "9/minute", until: undefined }, /until of override is undefined/],
      [{ limits: "9/minute", layer: "org" }, /No layer "org" applies/],
      [{ limits: "9 concurrent; 9 concurrent/minute" }, /./],
    ];
    for (const [options, message] of mistakes)
      expect(() => here.override(alice, options as never)).toThrow(message);
    expect(await admittedOf(here, alice, 20)).toBe(5);
    expect(() => here.endOverride(alice, { forMs: 1 } as never)).toThrow(/endOverride has no option "forMs"/);
    for (const options of [
      null,
      5,
      [],
      new Map(),
      { layer: undefined },
      { layer: Symbol("user") },
      { layer: 7 },
    ]) {
      for (const method of ["block", "unblock", "endOverride", "reset"] as const)
        expect(() => here[method](alice, options as never), method).toThrow(/takes an object|layer of/);
    }
    for (const until of [-1e300, Object.create(null), 1e300, Symbol("now"), 5n])
      expect(() => here.override(alice, { limits: "9/minute", until: until as never })).toThrow(
        /until must be a date/,
      );
    expect(() => here.peek(alice, { layer: "org" })).toThrow(/No layer "org" applies to this caller/);
  });
});

describe("override, on a shared store", () => {
  it("applies in every process from its next call, with one round trip after the first call", async () => {
    const { here, there, remote } = limiters();
    expect(await admittedOf(there, alice, 1)).toBe(1);
    here.override(alice, { limits: "8/minute" });
    remote.calls.decide = 0;
    expect(await admittedOf(there, alice, 1)).toBe(1);
    expect(remote.calls.decide).toBe(2);
    expect(await admittedOf(there, alice, 4)).toBe(4);
    expect(remote.calls.decide).toBe(6);
    here.endOverride(alice);
    remote.calls.decide = 0;
    expect(await there.admit(alice)).toMatchObject({ admitted: false, retryAfterMs: minute });
    expect(remote.calls.decide).toBe(2);
  });

  it("costs one round trip in the process that set it", async () => {
    const { there, remote } = limiters();
    await there.override(alice, { limits: "8/minute" });
    remote.calls.decide = 0;
    expect(await admittedOf(there, alice, 8)).toBe(8);
    expect(remote.calls.decide).toBe(8);
    await there.endOverride(alice);
    expect(await there.admit(alice)).toMatchObject({ admitted: false });
    expect(remote.calls.decide).toBe(9);
  });

  it("admits a refused caller immediately in the process that set it, and within a second in others", async () => {
    const { there, remote, make, clock } = limiters();
    const elsewhere = make(remote);
    expect(await admittedOf(there, alice, 9)).toBe(5);
    expect(await admittedOf(elsewhere, alice, 1)).toBe(0);
    await there.override(alice, { limits: "8/minute" });
    expect(await admittedOf(there, alice, 1)).toBe(1);
    clock.advance(second);
    expect(await admittedOf(elsewhere, alice, 5)).toBe(2);
  });

  it("lasts through an outage in a process that knows it, and may end during the outage", async () => {
    const { here, there, remote, clock, make } = limiters({ layers: layers.slice(0, 1) });
    here.override(alice, { limits: "2/minute", forMs: hour });
    here.override(bob, { limits: "20/minute", forMs: hour });
    expect(await admittedOf(there, alice, 1)).toBe(1);
    expect(await admittedOf(there, bob, 1)).toBe(1);
    clock.advance(minute);
    remote.mode = "reject";
    expect(await admittedOf(there, alice, 9)).toBe(2);
    expect(await admittedOf(there, bob, 30)).toBe(20);
    // A process that does not know the override applies the plan.
    expect(await admittedOf(make(remote), bob, 30)).toBe(5);
    await expect(there.endOverride(alice)).rejects.toThrow();
    clock.advance(hour);
    expect(await admittedOf(there, alice, 9)).toBe(5);
  });

  it("counts what was spent while the store was down", async () => {
    const { here, there, remote, clock } = limiters({ layers: layers.slice(0, 1) });
    here.override(alice, { limits: "12/hour", forMs: 2 * hour });
    expect(await admittedOf(there, alice, 3)).toBe(3);
    remote.mode = "reject";
    expect(await admittedOf(there, alice, 9)).toBe(9);
    remote.mode = "answer";
    clock.advance(1200);
    await there.peek(bob);
    for (let n = 0; n < 50; n += 1) await Promise.resolve();
    expect(await admittedOf(there, alice, 9)).toBe(0);
  });

  it("keeps a block through an outage even if an older answer arrives after it", async () => {
    const { there, remote } = limiters({ layers: layers.map((layer) => ({ ...layer, outage: "admit" })) });
    await there.peek(alice);
    remote.mode = "hang";
    const late = there.admit(alice);
    await new Promise(setImmediate);
    remote.mode = "answer";
    await there.block(alice);
    remote.answerHeld();
    await late;
    remote.mode = "reject";
    for (let n = 0; n < 3; n += 1) expect(await there.admit(alice)).toMatchObject({ reason: "blocked" });
  });

  it("is charged by a penalty in a unit that only it counts, even in a process that does not know it", async () => {
    const { here, there } = limiters({
      layers: [{ name: "user", key: ({ user }) => user, limits: "5/minute" }],
      units: ["strikes"],
    });
    here.override(alice, { limits: "10 strikes/hour" });
    await there.penalise(alice, { strikes: 10 });
    expect((await here.peek(alice)).limits.find(({ unit }) => unit === "strikes")?.remaining).toBe(0);
  });

  it("refuses with a short wait if it changes at each call", async () => {
    const { shared, remote, there, clock } = limiters();
    const decide = remote.decide.bind(remote);
    let id = 1;
    Object.assign(remote, {
      async decide(...args: Parameters<typeof decide>) {
        id += 1;
        shared.override(args[0].slice(0, 1), { id, limits: `${id}/minute` }, clock.now());
        return decide(...args);
      },
    });
    expect(await there.admit(alice)).toMatchObject({
      admitted: false,
      reason: "store-unavailable",
      retryAfterMs: second,
    });
    expect(id).toBe(5);
  });

  it("that cannot be read is reported once, and the caller's own limits apply", async () => {
    const { shared, there, errors, clock } = limiters();
    const [charge] = [{ space: "chat/user", key: "alice" }];
    shared.override([charge], { id: 7, limits: "5 / fortnight" }, clock.now());
    expect(await admittedOf(there, alice, 9)).toBe(5);
    expect(errors).toHaveLength(1);
    expect(String(errors[0])).toMatch(/An override in layer "user" cannot be used.*fortnight/);
  });
});
