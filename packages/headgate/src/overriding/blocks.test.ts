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
  it("refuses a caller until its end, charges nothing for the refused requests, and does not affect other callers", async () => {
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

  it("without an end, lasts through a reset until it is ended", () => {
    const { here, clock } = limiters();
    here.block(alice);
    clock.advance(400 * 24 * 3_600_000);
    here.reset(alice);
    expect(here.admit(alice)).toMatchObject({ reason: "blocked", retryAfterMs: Number.POSITIVE_INFINITY });
    here.unblock(alice);
    expect(here.admit(alice)).toMatchObject({ admitted: true });
  });

  it("applies to the first layer that applies to the caller, or to the named layer", () => {
    const { here } = limiters();
    here.block({ ip: bob.ip });
    expect(here.admit(bob)).toMatchObject({ reason: "blocked", overrides: [{ layer: "ip" }] });
    here.unblock(bob);
    expect(here.admit(bob)).toMatchObject({ reason: "blocked" });
    here.unblock(bob, { layer: "ip" });
    expect(here.admit(bob)).toMatchObject({ admitted: true });
  });

  it("accepts a date, and throws for an invalid value with an explanation", () => {
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
      [{ forMs: undefined } as never, /forMs of block is undefined\. Leave it out for no end/],
      [{ until: undefined } as never, /until of block is undefined/],
      [1000 as never, /block takes an object, such as \{ forMs: 60000 \}, got 1000/],
      [{ layer: "org" }, /No layer "org" applies to this caller; these apply: user, ip/],
    ];
    for (const [options, message] of mistakes) expect(() => here.block(bob, options)).toThrow(message);
    expect(here.admit(bob)).toMatchObject({ admitted: true });
  });

  it("refuses to block a caller without a usable key, because such callers share a partition", () => {
    const key = ({ user }: Caller) => user as string;
    const { here, errors } = limiters({ layers: [{ name: "user", key, limits: "5/minute" }] });
    expect(() => here.block({ ip: "203.0.113.9" })).toThrow(/is unknown or too long/);
    expect(() => here.block({ user: "x".repeat(1025), ip: "" })).toThrow(/too long/);
    expect(errors).toHaveLength(1);
  });

  it("blocks only the caller whose key begins with NUL", () => {
    const key = ({ user }: Caller) => user as string;
    const { here } = limiters({ layers: [{ name: "user", key, limits: "5/minute" }] });
    here.block({ user: "\0unidentified", ip: "" });
    expect(here.admit({ user: "\0unidentified", ip: "" })).toMatchObject({ reason: "blocked" });
    expect(here.admit({ ip: "" })).toMatchObject({ admitted: true });
  });

  it("throws on a store without support for blocks", () => {
    const { override: _, ...store } = memoryStore();
    const { make } = limiters();
    expect(() => make(store).block(alice)).toThrow(/The store "memory" keeps no blocks or overrides/);
    expect(() => make(store).unblock(alice)).toThrow(/keeps no blocks/);
  });

  it("does not end a reservation or its settlement, but refuses to extend it", async () => {
    const { here } = limiters({ layers: [{ name: "user", key: ({ ip }) => ip, limits: "100 tokens/hour" }] });
    const admitted = here.admit(alice, { cost: { tokens: 40 } }) as Admitted;
    here.block(alice);
    expect(await admitted.extend({ tokens: 10 })).toMatchObject({ admitted: false, reason: "blocked" });
    await admitted.end({ tokens: 30 });
    here.unblock(alice);
    expect((here.peek(alice) as Admitted).limits[0]?.remaining).toBe(70);
  });

  it("applies to an unlimited caller, and to a caller whose plan is looked up", async () => {
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

  it("lets a waiting caller pass as soon as it ends", async () => {
    const { here } = limiters();
    here.block(alice);
    expect(await here.wait(alice, { maxWaitMs: 1000 })).toMatchObject({ reason: "blocked" });
  });

  it("is a 403 without an end and a 429 with one, and never shows the reason", () => {
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

  it("shows nothing left until its end, and does not name limits of another layer as the cause", async () => {
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

  it("is not a 403 for a request that could never be admitted, even after its end", () => {
    const { here } = limiters();
    here.block(alice, { forMs: 1000 });
    expect(here.admit(alice, { cost: { requests: 6 } })).toMatchObject({ reason: "cost-exceeds-quota" });
  });
});

describe("block, on a shared store", () => {
  it("applies in every process from its next call, and a flood of requests costs one call a second", async () => {
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

  it("ends immediately in the process that ends it", async () => {
    const { there } = limiters();
    await there.block(alice);
    expect(await there.admit(alice)).toMatchObject({ reason: "blocked" });
    await there.unblock(alice);
    expect(await there.admit(alice)).toMatchObject({ admitted: true });
  });

  it("lasts through an outage in a process that knows it, whatever the outage policy", async () => {
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

  it("is forgotten for outages once the store has reported its end", async () => {
    const { here, there, remote, clock } = limiters();
    here.block(alice);
    expect(await there.admit(alice)).toMatchObject({ reason: "blocked" });
    here.unblock(alice);
    clock.advance(1000);
    expect(await there.admit(alice)).toMatchObject({ admitted: true });
    remote.mode = "reject";
    expect(await there.admit(alice)).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
  });

  it("stays in force if its end, or its replacement, could not be sent to the store", async () => {
    const { there, remote } = limiters({ layers: layers.map((layer) => ({ ...layer, outage: "admit" })) });
    await there.block(alice, { forMs: 60_000 });
    remote.mode = "reject";
    await expect(there.unblock(alice)).rejects.toThrow();
    await expect(there.block(alice, { forMs: 1 })).rejects.toThrow();
    expect(await there.admit(alice)).toMatchObject({ reason: "blocked", decidedBy: "outage-policy" });
  });

  it("rejects if the store cannot be reached", async () => {
    const { there, remote } = limiters();
    remote.mode = "reject";
    await expect(there.block(alice)).rejects.toThrow("connection lost");
    remote.mode = "answer";
    expect(await there.admit(alice)).toMatchObject({ admitted: true });
  });
});
