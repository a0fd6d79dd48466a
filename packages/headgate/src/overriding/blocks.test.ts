import { describe, expect, it } from "vitest";
import type { Admitted, Refused } from "../core/admission.ts";
import { refusal } from "../http/refusal/refusal.ts";
import type { LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";

interface Caller {
  user?: string;
  ip: string;
}

const alice: Caller = { user: "alice", ip: "203.0.113.7" };
const bob: Caller = { user: "bob", ip: "203.0.113.7" };
const layers: LimiterOptions<Caller>["layers"] = [
  { name: "user", key: ({ user }) => user ?? null, limits: "5/minute" },
  { name: "ip", key: ({ ip }) => ip, limits: "30/minute" },
];

function limiters(options: Partial<LimiterOptions<Caller>> = {}) {
  const clock = fakeClock();
  const errors: unknown[] = [];
  const shared = memoryStore();
  const make = (store: LimiterOptions<Caller>["store"]) =>
    createLimiter<Caller>({
      name: "chat",
      layers,
      clock,
      onError: (error) => errors.push(error),
      onOutage: () => {},
      ...options,
      ...(store === undefined ? {} : { store }),
    });
  const remote = scriptedStore(shared);
  return { clock, errors, shared, remote, here: make(shared), there: make(remote), make };
}

describe("block", () => {
  it("refuses a caller until its end, charges nobody meanwhile, and lets others pass", async () => {
    const { here, clock } = limiters();
    here.block(alice, { forMs: 60_000, reason: "spam", by: "ada" });
    const refused = here.admit(alice) as Refused;
    expect(refused).toMatchObject({
      admitted: false,
      reason: "blocked",
      retryAfterMs: 60_000,
      waitsFor: "window",
    });
    expect(refused.overrides).toEqual([
      { layer: "user", limits: "blocked", until: clock.now() + 60_000, reason: "spam", by: "ada" },
    ]);
    expect(JSON.parse(JSON.stringify(refused))).toMatchObject({
      reason: "blocked",
      overrides: [{ layer: "user" }],
    });
    const admitted = here.admit(bob) as Admitted;
    expect(admitted.limits.find(({ layer }) => layer === "ip")?.remaining).toBe(29);
    expect(admitted.overrides).toBeUndefined();
    clock.advance(59_999);
    expect(here.peek(alice)).toMatchObject({ reason: "blocked", retryAfterMs: 1 });
    clock.advance(1);
    expect(here.admit(alice)).toMatchObject({ admitted: true });
  });

  it("lasts for good where no end is named, through a reset, until it is ended", () => {
    const { here, clock } = limiters();
    here.block(alice);
    clock.advance(400 * 24 * 3_600_000);
    here.reset(alice);
    expect(here.admit(alice)).toMatchObject({ reason: "blocked", retryAfterMs: Number.POSITIVE_INFINITY });
    here.unblock(alice);
    expect(here.admit(alice)).toMatchObject({ admitted: true });
  });

  it("is for the first layer that applies, or for the one that is named", () => {
    const { here } = limiters();
    here.block({ ip: bob.ip });
    expect(here.admit(bob)).toMatchObject({ reason: "blocked", overrides: [{ layer: "ip" }] });
    here.unblock(bob);
    expect(here.admit(bob)).toMatchObject({ reason: "blocked" });
    here.unblock(bob, { layer: "ip" });
    expect(here.admit(bob)).toMatchObject({ admitted: true });
  });

  it("takes a date, and says what is wrong with anything else", () => {
    const { here, clock } = limiters();
    here.block(alice, { until: new Date(clock.now() + 5000) });
    expect(here.peek(alice)).toMatchObject({ retryAfterMs: 5000 });
    const mistakes: [Parameters<typeof here.block>[1], RegExp][] = [
      [{ until: clock.now() }, /until must be later than now.*call unblock/],
      [{ until: Number.NaN }, /until must be a date/],
      [{ until: "tomorrow" as never }, /until must be a date.*got "tomorrow"/],
      [{ until: new Date(Number.NaN) }, /until must be a date/],
      [{ forMs: 0 }, /forMs must be/],
      [{ forMs: 1, until: clock.now() + 1 }, /takes either forMs or until, got both/],
      [{ reason: "x".repeat(201) }, /reason must be text of at most 200 characters, got 201/],
      [{ by: 7 as never }, /by must be text .* got 7/],
      [{ for: 5 } as never, /for/],
      [{ forMs: undefined } as never, /forMs of block is undefined: leave it out for one without an end/],
      [{ until: undefined } as never, /until of block is undefined/],
      [1000 as never, /block takes an object, such as \{ forMs: 60000 \}, got 1000/],
      [{ layer: "org" }, /No layer "org" applies to this caller; these apply: user, ip/],
    ];
    for (const [options, message] of mistakes) expect(() => here.block(bob, options)).toThrow(message);
    expect(here.admit(bob)).toMatchObject({ admitted: true });
  });

  it("blocks nobody where the caller's key cannot be had: all such callers share a partition", () => {
    const key = ({ user }: Caller) => user as string;
    const { here, errors } = limiters({ layers: [{ name: "user", key, limits: "5/minute" }] });
    expect(() => here.block({ ip: "203.0.113.9" })).toThrow(/could not be had/);
    expect(() => here.block({ user: "x".repeat(1025), ip: "" })).toThrow(/too long/);
    expect(errors).toHaveLength(1);
  });

  it("blocks a caller whose key begins with NUL, and nobody else by it", () => {
    const key = ({ user }: Caller) => user as string;
    const { here } = limiters({ layers: [{ name: "user", key, limits: "5/minute" }] });
    here.block({ user: "\0unidentified", ip: "" });
    expect(here.admit({ user: "\0unidentified", ip: "" })).toMatchObject({ reason: "blocked" });
    expect(here.admit({ ip: "" })).toMatchObject({ admitted: true });
  });

  it("is an error on a store that cannot block, and says so", () => {
    const { override: _, ...store } = memoryStore();
    const { make } = limiters();
    expect(() => make(store).block(alice)).toThrow(/The store "memory" keeps no blocks or overrides/);
    expect(() => make(store).unblock(alice)).toThrow(/keeps no blocks/);
  });

  it("ends neither a reservation nor its settlement, and refuses to extend it", async () => {
    const { here } = limiters({ layers: [{ name: "user", key: ({ ip }) => ip, limits: "100 tokens/hour" }] });
    const admitted = here.admit(alice, { cost: { tokens: 40 } }) as Admitted;
    here.block(alice);
    expect(await admitted.extend({ tokens: 10 })).toMatchObject({ admitted: false, reason: "blocked" });
    await admitted.end({ tokens: 30 });
    here.unblock(alice);
    expect((here.peek(alice) as Admitted).limits[0]?.remaining).toBe(70);
  });

  it("holds for a caller without limits, and for one whose plan is looked up", async () => {
    const { here } = limiters({
      layers: [
        {
          name: "user",
          key: ({ ip }) => ip,
          plan: async () => "staff",
          plans: { free: "5/minute", staff: "unlimited" },
          defaultPlan: "free",
        },
      ],
    });
    expect(await here.admit(alice)).toMatchObject({ admitted: true, plan: "staff" });
    await here.block(alice, { forMs: 1000 });
    expect(await here.admit(alice)).toMatchObject({ reason: "blocked", retryAfterMs: 1000 });
    await here.unblock(alice);
    expect(await here.admit(alice)).toMatchObject({ admitted: true });
  });

  it("waits no longer than it has to", async () => {
    const { here } = limiters();
    here.block(alice);
    expect(await here.wait(alice, { maxWaitMs: 1000 })).toMatchObject({ reason: "blocked" });
  });

  it("is a 403 for good, and a 429 with its wait until an end; neither shows why", () => {
    const { here } = limiters();
    here.block(alice, { reason: "secret" });
    const forGood = refusal(here.admit(alice) as Refused);
    expect(forGood).toMatchObject({ status: 403, problem: { error: "Blocked", retry_after_seconds: null } });
    expect(forGood.headers).not.toHaveProperty("Retry-After");
    expect(JSON.parse(forGood.body)).toMatchObject({ status: 403, detail: "This caller is blocked." });
    here.block(alice, { forMs: 90_001, reason: "secret" });
    const timed = refusal(here.admit(alice) as Refused);
    expect(timed).toMatchObject({ status: 429, headers: { "Retry-After": "91" } });
    expect(timed.problem.detail).toBe("This caller is blocked for now. Try again in 91 seconds.");
    expect(forGood.body + timed.body).not.toContain("secret");
  });

  it("shows that nothing is left before its end, and blames no limit of another layer", async () => {
    const { here, there } = limiters();
    here.block(alice, { forMs: 42_000 });
    for (const refused of [
      here.admit(alice),
      await there.admit(alice),
      await there.admit(alice),
    ] as Refused[]) {
      expect(refused.binding).toMatchObject({ layer: "user", remaining: 0, waitMs: 42_000, resetMs: 42_000 });
      expect(refused.affordable).toEqual({ requests: 0 });
      expect(refused.tightest).toMatchObject({ name: "user-per-minute", remaining: 0 });
      expect(refusal(refused)).toMatchObject({
        headers: { RateLimit: '"user-per-minute";r=0;t=42, "ip-per-minute";r=30;t=0' },
        problem: { "violated-policies": ["user-per-minute"], affordable: { requests: 0 } },
      });
    }
  });

  it("is no 403 where a request could not be admitted at its end either", () => {
    const { here } = limiters();
    here.block(alice, { forMs: 1000 });
    expect(here.admit(alice, { cost: { requests: 6 } })).toMatchObject({ reason: "cost-exceeds-quota" });
  });
});

describe("block, on a shared store", () => {
  it("is in force in every process from its next call, and a flood of it costs a call a second", async () => {
    const { here, there, remote, clock } = limiters();
    expect(await there.admit(alice)).toMatchObject({ admitted: true });
    here.block(alice, { forMs: 10_000 });
    remote.calls.decide = 0;
    for (let n = 0; n < 300; n += 1) {
      const refused = await there.admit(alice);
      expect(refused).toMatchObject({ reason: "blocked", retryAfterMs: 10_000 - 10 * n });
      clock.advance(10);
    }
    expect(remote.calls.decide).toBe(3);
    here.unblock(alice);
    clock.advance(1000);
    expect(await there.admit(alice)).toMatchObject({ admitted: true, decidedBy: "store" });
  });

  it("is ended by its own process at once", async () => {
    const { there } = limiters();
    await there.block(alice);
    expect(await there.admit(alice)).toMatchObject({ reason: "blocked" });
    await there.unblock(alice);
    expect(await there.admit(alice)).toMatchObject({ admitted: true });
  });

  it("holds through an outage where this process has met it, to its end, whatever the policy", async () => {
    for (const outage of ["local", "admit", "refuse"] as const) {
      const { there, remote, clock } = limiters({ layers: layers.map((layer) => ({ ...layer, outage })) });
      await there.block(alice, { forMs: 60_000 });
      remote.mode = "reject";
      clock.advance(2000);
      for (let n = 0; n < 10; n += 1) {
        expect(await there.admit(alice)).toMatchObject({
          reason: "blocked",
          decidedBy: "outage-policy",
          retryAfterMs: 58_000,
        });
      }
      expect(await there.admit(bob)).toMatchObject({ admitted: outage !== "refuse" });
      clock.advance(58_000);
      expect(await there.admit(alice)).toMatchObject({ admitted: outage !== "refuse" });
    }
  });

  it("is forgotten for outages once the store has said that it has ended", async () => {
    const { here, there, remote, clock } = limiters();
    here.block(alice);
    expect(await there.admit(alice)).toMatchObject({ reason: "blocked" });
    here.unblock(alice);
    clock.advance(1000);
    expect(await there.admit(alice)).toMatchObject({ admitted: true });
    remote.mode = "reject";
    expect(await there.admit(alice)).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
  });

  it("stays in force where the store could not be told of its end, or of another", async () => {
    const { there, remote } = limiters({ layers: layers.map((layer) => ({ ...layer, outage: "admit" })) });
    await there.block(alice, { forMs: 60_000 });
    remote.mode = "reject";
    await expect(there.unblock(alice)).rejects.toThrow();
    await expect(there.block(alice, { forMs: 1 })).rejects.toThrow();
    expect(await there.admit(alice)).toMatchObject({ reason: "blocked", decidedBy: "outage-policy" });
  });

  it("rejects where the store cannot be reached", async () => {
    const { there, remote } = limiters();
    remote.mode = "reject";
    await expect(there.block(alice)).rejects.toThrow("connection lost");
    remote.mode = "answer";
    expect(await there.admit(alice)).toMatchObject({ admitted: true });
  });
});
