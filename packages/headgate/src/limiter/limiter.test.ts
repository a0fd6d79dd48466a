import { inspect } from "node:util";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import type { Admission, Admitted, Refused } from "../core/admission.ts";
import { admitUnidentified } from "../core/for-adapters.ts";
import type { Store } from "../core/store.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import type { DecisionEvent, Limiter } from "./contract.ts";
import { createLimiter } from "./limiter.ts";

interface Caller {
  user?: string;
  ip: string;
}

function chat(overrides: Partial<Parameters<typeof createLimiter<Caller>>[0]> = {}) {
  const clock = fakeClock();
  const limiter = createLimiter<Caller>({
    name: "chat",
    layers: [
      { name: "user", key: (caller) => caller.user ?? caller.ip, limits: "5/minute; 60/hour" },
      { name: "ip", key: (caller) => caller.ip, limits: "30/minute" },
    ],
    clock,
    onOutage: () => {},
    ...overrides,
  });
  return { clock, limiter, admit: (caller: Caller) => limiter.admit(caller) as Admission };
}

const alice = { user: "alice", ip: "203.0.113.7" };

describe("createLimiter", () => {
  it("admits five a minute, refuses the sixth, and admits it after exactly the reported wait", () => {
    const { admit, clock } = chat();
    for (let n = 0; n < 5; n += 1) {
      expect(admit(alice).admitted).toBe(true);
      clock.advance(1000);
    }
    const refused = admit(alice) as Refused;
    expect(refused).toMatchObject({
      admitted: false,
      reason: "quota-exceeded",
      retryAfterMs: 55_000,
      retryAfterSeconds: 55,
    });
    expect(refused.binding.name).toBe("user-per-minute");
    clock.advance(54_999);
    expect(admit(alice).admitted).toBe(false);
    clock.advance(1);
    expect(admit(alice).admitted).toBe(true);
  });

  it("charges nothing for a refused request", () => {
    const { admit, limiter } = chat();
    for (let n = 0; n < 50; n += 1) admit(alice);
    const bob = limiter.peek({ user: "bob", ip: alice.ip });
    expect((bob as Admission).limits.find(({ layer }) => layer === "ip")?.remaining).toBe(25);
  });

  it("limits an address to thirty across its users, and reports the longest wait", () => {
    const { admit, clock } = chat();
    let admitted = 0;
    for (let n = 0; n < 40; n += 1) if (admit({ user: `user${n}`, ip: alice.ip }).admitted) admitted += 1;
    expect(admitted).toBe(30);
    clock.advance(10_000);
    const refused = admit({ user: "user0", ip: alice.ip }) as Refused;
    expect(refused.binding.name).toBe("ip-per-minute");
    expect(refused.retryAfterSeconds).toBe(50);
  });

  it("shows the tightest limit, not the last one", () => {
    const { admit } = chat();
    admit(alice);
    expect(admit(alice).tightest).toMatchObject({
      name: "user-per-minute",
      remaining: 3,
      quota: 5,
      resetMs: 60_000,
    });
  });

  it("shows the limit with the longer reset if two are equally tight, in either order", () => {
    for (const limits of ["5/minute; 5/hour token-bucket", "5/hour token-bucket; 5/minute"]) {
      const limiter = createLimiter<string>({
        name: "chat",
        layers: [{ name: "key", key: (key) => key, limits }],
        clock: fakeClock(),
        onWarning: () => {},
      });
      // A minute until the minute limit has a free unit, twelve until the hour limit has one.
      expect((limiter.admit("a") as Admission).tightest?.name).toBe("key-per-hour");
    }
  });

  it("distinguishes keys of up to 1,024 characters, and counts longer keys together", () => {
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "key", key: (key) => key, limits: "1/minute" }],
    });
    const admits = (key: string) => (limiter.admit(key) as Admission).admitted;
    expect([admits("a".repeat(1024)), admits(`${"a".repeat(1023)}b`)]).toEqual([true, true]);
    expect([admits("a".repeat(1025)), admits(`${"a".repeat(1024)}b`)]).toEqual([true, false]);
  });

  it("keeps the values of the moment of the decision", () => {
    const { admit, clock, limiter } = chat();
    for (let n = 0; n < 4; n += 1) admit(alice);
    const admitted = admit(alice);
    clock.advance(20_000);
    const refused = admit(alice) as Refused;
    clock.advance(30_000);
    limiter.reset(alice);
    admit(alice);
    expect(refused.limits.map(({ remaining, waitMs }) => [remaining, waitMs])).toEqual([
      [0, 40_000],
      [55, 0],
      [25, 0],
    ]);
    expect(refused).toMatchObject({ retryAfterMs: 40_000, affordable: { requests: 0 } });
    expect(admitted.limits.map(({ remaining, resetMs }) => [remaining, resetMs])).toEqual([
      [0, 60_000],
      [55, 3_600_000],
      [25, 60_000],
    ]);
  });

  it("shows its properties in a log", () => {
    const { admit, clock } = chat();
    const admitted = admit(alice);
    for (let n = 0; n < 4; n += 1) admit(alice);
    const refused = admit(alice) as Refused;
    const { limits, tightest, at, plan, policy, decidedBy } = admitted;
    const expected = { admitted: true, limits, tightest, at, plan, policy, decidedBy };
    expect(JSON.parse(JSON.stringify(admitted))).toEqual(expected);
    expect(inspect(admitted, { depth: 5 })).toBe(inspect(expected, { depth: 5 }));
    expect(JSON.parse(JSON.stringify(refused))).toEqual({
      admitted: false,
      reason: "quota-exceeded",
      retryAfterMs: 60_000,
      retryAfterSeconds: 60,
      waitsFor: "window",
      binding: refused.limits[0],
      affordable: { requests: 0 },
      limits: refused.limits,
      tightest: refused.limits[0],
      at: clock.now(),
      policy,
      decidedBy: "store",
    });
    expect(inspect(refused)).toContain("name: 'user-per-minute'");
  });

  it("leaves out layers whose key is null", () => {
    const limiter = createLimiter<Caller>({
      name: "chat",
      layers: [{ name: "user", key: () => null, limits: "1/minute" }],
    });
    for (let n = 0; n < 3; n += 1) {
      expect(limiter.admit(alice)).toMatchObject({ admitted: true, limits: [] });
    }
  });

  it.each([
    ["undefined", undefined],
    ["empty", ""],
    ["an object", { id: 42 }],
    ["true", true],
    ["NaN", Number.NaN],
    ["1.5", 1.5],
    ["a promise: look callers up before, a key is synchronous", Promise.resolve("alice")],
  ])("counts callers whose key is %s together, and reports it", (what, key) => {
    const onError = vi.fn();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: () => key as never, limits: "1/minute" }],
      onError,
    });
    expect((limiter.admit("a") as Admission).admitted).toBe(true);
    expect((limiter.admit("b") as Admission).admitted).toBe(false);
    expect(onError).toHaveBeenCalledWith(
      expect.objectContaining({
        code: "policy-invalid",
        message: `The key of layer "user" must be text, a whole number, or null if the layer does not apply; it is ${what}. The request is counted as unidentified.`,
      }),
    );
  });

  it.each([
    ["NaN", () => Number.NaN, "got NaN"],
    ["nothing", () => undefined, "got undefined"],
    ["text", () => "noon", 'got "noon"'],
    [
      "an error",
      () => {
        throw new Error("the clock is broken");
      },
      "got the clock is broken",
    ],
  ])("stands still while the clock returns %s, and reports it once", (_what, broken, expected) => {
    const onError = vi.fn();
    const clock = fakeClock();
    let isBroken = false;
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (user) => user, limits: "2/minute" }],
      clock: { now: () => (isBroken ? (broken() as number) : clock.now()) },
      onError,
    });
    const admit = () => (limiter.admit("alice") as Admission).admitted;
    expect(admit()).toBe(true);
    isBroken = true;
    expect([admit(), admit(), admit()]).toEqual([true, false, false]);
    expect(onError).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls[0]?.[0].message).toContain(expected);
    isBroken = false;
    clock.advance(60_000);
    expect(admit()).toBe(true);
  });

  it("accepts whole numbers as keys", () => {
    const limiter = createLimiter<number>({
      name: "chat",
      layers: [{ name: "user", key: (id) => id, limits: "1/minute" }],
    });
    expect([1, 2, 1].map((id) => (limiter.admit(id) as Admission).admitted)).toEqual([true, true, false]);
  });

  it.each([
    [
      "outgae",
      { outgae: "admit" },
      'createLimiter has no option "outgae": did you mean "outage", of a layer?',
    ],
    ["timeout", { timeout: 100 }, 'did you mean "timeouts"?'],
    ["windowMs", { windowMs: 1000 }, "it belongs to another library"],
    [
      "a layer's limit",
      { layers: [{ name: "a", key: String, limit: "5/minute" }] },
      "it belongs to another library",
    ],
    [
      "a layer's limts",
      { layers: [{ name: "a", key: String, limts: "5/minute" }] },
      'did you mean "limits"?',
    ],
    [
      "a misspelt time limit",
      { timeouts: { storeMS: 1 } },
      'timeouts has no option "storeMS": did you mean "storeMs"?',
    ],
    [
      "a client for a store",
      { store: new Map() },
      "store must be a URI such as redis://localhost:6379, or a store",
    ],
    ["null for a store", { store: null }, "It is null."],
    ["a number for a store", { store: 6379 }, "It is 6379."],
    [
      "a plain object for a store",
      { store: {} },
      "It is an object without the methods decide, adjust and reset.",
    ],
    ["another class for a store", { store: new Map() }, "It is an object of class Map."],
  ])("refuses %s", (_what, options, message) => {
    const layers = [{ name: "user", key: () => "a", limits: "1/minute" }];
    expect(() => createLimiter({ name: "chat", layers, ...options } as never)).toThrow(message);
  });

  it.each([
    [undefined, "undefined"],
    ["", '""'],
    ["Chat", '"Chat"'],
    ["a/b", '"a/b"'],
    ["a".repeat(101), `"${"a".repeat(77)}..."`],
    [7, "7"],
  ])("refuses the name %s, and shows a valid call", (name, shown) => {
    const layers = [{ name: "user", key: () => "a", limits: "1/minute" }];
    expect(() => createLimiter({ name, layers } as never)).toThrow(
      `createLimiter needs a name of at most 100 lower-case letters, digits, ".", "_" and "-", such as { name: "chat", layers: [`,
    );
    expect(() => createLimiter({ name, layers } as never)).toThrow(`it got ${shown}.`);
  });

  it("has a name, which decisions carry", () => {
    const onDecision = vi.fn();
    const { limiter, admit } = chat({ name: "bodies", onDecision });
    admit(alice);
    expect(limiter.name).toBe("bodies");
    expect(onDecision).toHaveBeenCalledWith(expect.objectContaining({ limiter: "bodies" }));
  });

  it.each([undefined, null, "5/minute"])("explains its options if called with %s", (options) => {
    expect(() => createLimiter(options as never)).toThrow("createLimiter takes an object, such as { name:");
  });

  it("counts a window of a year without overflowing, and a millisecond too", () => {
    const clock = fakeClock();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "key", key: (key) => key, limits: "1/year; 1/ms" }],
      clock,
      onWarning: () => {},
    });
    expect((limiter.admit("a") as Admission).admitted).toBe(true);
    clock.advance(365 * 86_400_000 - 1);
    expect(limiter.admit("a")).toMatchObject({ admitted: false, retryAfterMs: 1 });
    clock.advance(1);
    expect((limiter.admit("a") as Admission).admitted).toBe(true);
  });

  it("lets time continue when the clock is set back", () => {
    const { admit, clock } = chat();
    for (let n = 0; n < 5; n += 1) admit(alice);
    clock.advance(-365 * 86_400_000);
    expect((admit(alice) as Refused).retryAfterMs).toBe(60_000);
    clock.advance(59_999);
    expect(admit(alice).admitted).toBe(false);
    clock.advance(1);
    expect(admit(alice).admitted).toBe(true);
  });

  it("admits exactly the quota of ten thousand requests in one millisecond", () => {
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "key", key: (key) => key, limits: "5000/minute" }],
      clock: fakeClock(),
    });
    let admitted = 0;
    for (let n = 0; n < 10_000; n += 1) if ((limiter.admit("a") as Admission).admitted) admitted += 1;
    expect(admitted).toBe(5000);
  });

  it("keeps callers of different names, layers and keys apart in one store", () => {
    const store = memoryStore();
    const admits = (name: string, layer: string, key: string) => {
      const layers = [{ name: layer, key: (key: string) => key, limits: "1/minute" }];
      return (createLimiter<string>({ name, layers, store, onWarning: () => {} }).admit(key) as Admission)
        .admitted;
    };
    expect(admits("app", "1-user", "a")).toBe(true);
    expect(admits("app1-", "user", "a")).toBe(true);
    expect(admits("app", "1-user", "b")).toBe(true);
    expect(admits("app", "1-user", "a")).toBe(false);
  });

  it("warns about a policy that is probably a mistake", () => {
    const onWarning = vi.fn();
    createLimiter<string>({
      name: "chat",
      layers: [{ name: "key", key: (key) => key, limits: "9/minute; 5/hour" }],
      onWarning,
    });
    expect(onWarning).toHaveBeenCalledWith(expect.stringContaining("9/minute can never bind"));
  });

  it.each([
    ["mysql://secret@host", 'No store is known for "mysql://": write "memory://", "redis://host:6379" or'],
    ["redis://secret@host:99999", "The Redis URL has port 99999: ports go from 1 to 65535."],
    ["postgres://user:secret@:host:/x", "The PostgreSQL URL cannot be read"],
    [
      "postgres://user:secret@host/x?prepare=no",
      'prepare in a PostgreSQL URL must be true or false, got "no".',
    ],
    ["nonsense", "A store URI begins with a scheme, which is missing here"],
    ["memory://here", '"memory://here" names a location, which memory does not have'],
    ["memory://?max=5", 'memory:// has no option "max": it takes maxPartitions.'],
    ["memory://?maxPartitions=lots", 'maxPartitions of memory:// must be a whole number, got "lots".'],
    ["memory://?maxPartitions=0", "maxPartitions must be a whole number from 1 to 100000000, got 0."],
  ])("refuses the store %s", (store, message) => {
    expect(() => chat({ store })).toThrow(message);
    expect(() => chat({ store })).not.toThrow("secret");
  });

  it("reads the size of the memory store from its URI", () => {
    const { admit } = chat({ store: "memory://?maxPartitions=10" });
    expect(admit(alice).admitted).toBe(true);
  });

  it("throws once it is closed", () => {
    const { limiter } = chat();
    limiter.close();
    expect(() => limiter.admit(alice)).toThrow("This limiter has been closed");
  });

  it("types the caller", () => {
    expectTypeOf(chat().limiter).toEqualTypeOf<Limiter<Caller>>();
    // @ts-expect-error a caller without an address has the wrong type
    chat().limiter.admit({ user: "alice" });
    const bySession = (caller: { session: string }) => caller.session;
    // @ts-expect-error a key function for another kind of caller does not compile
    createLimiter<Caller>({ name: "chat", layers: [{ name: "ip", key: bySession, limits: "1/second" }] });
  });
});

describe("report and end", () => {
  function budget(limits = "3/minute; 1000 tokens/hour sliding-window") {
    const clock = fakeClock();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "key", key: (key) => key, limits }],
      clock,
    });
    const admit = (tokens?: number) =>
      limiter.admit("a", tokens === undefined ? {} : { cost: { tokens } }) as Admission;
    const tokensLeft = () =>
      (limiter.peek("a", { cost: {} }) as Admission).limits.find(({ unit }) => unit === "tokens")?.remaining;
    return { clock, limiter, admit, tokensLeft };
  }

  it("spends reported use from the hold, and frees the rest at the end", () => {
    const { admit, tokensLeft } = budget();
    const admission = admit(400) as Admitted;
    expect(tokensLeft()).toBe(600);
    admission.report({ tokens: 150 });
    expect(tokensLeft()).toBe(600);
    admission.report({ tokens: 1100 });
    expect(tokensLeft()).toBe(0);
    admission.report({ tokens: 150 });
    expect(tokensLeft()).toBe(850);
    admission.end();
    expect(tokensLeft()).toBe(850);
    expect(admission.limits.find(({ unit }) => unit === "tokens")?.remaining).toBe(850);
    expect(admission.limits.find(({ unit }) => unit === "requests")?.remaining).toBe(2);
  });

  it("takes a shrinking total from the latest report", () => {
    const { admit, tokensLeft, clock } = budget("9/minute; 1000 tokens/hour sliding-window");
    const long = admit() as Admitted;
    long.report({ tokens: 400 });
    clock.advance(1_800_000);
    long.report({ tokens: 1000 });
    clock.advance(1000);
    long.end({ tokens: 700 });
    expect(tokensLeft()).toBe(300);
    // The first 400 leave their window; of the 600 that came later, 300 stay.
    clock.advance(1_800_000 - 1000);
    expect(tokensLeft()).toBe(700);
  });

  it("refunds everything, once", () => {
    const { admit, tokensLeft, limiter } = budget();
    admit(100);
    const admission = admit(400) as Admitted;
    admission.end("nothing");
    admission.end("nothing");
    expect(tokensLeft()).toBe(900);
    expect((limiter.peek("a") as Admission).limits[0]?.remaining).toBe(2);
    expect(admission.limits[0]?.remaining).toBe(2);
  });

  it("refuses an unknown cost once the budget is spent, and before that spends nothing for it", () => {
    const { admit, tokensLeft, clock } = budget("9/minute; 1000 tokens/hour");
    const first = admit() as Admitted;
    expect(tokensLeft()).toBe(1000);
    first.report({ tokens: 1500 });
    expect(admit()).toMatchObject({ admitted: false, reason: "quota-exceeded" });
    const refused = admit() as Refused;
    expect(refused.binding.unit).toBe("tokens");
    clock.advance(refused.retryAfterMs - 1);
    expect(admit().admitted).toBe(false);
    clock.advance(1);
    expect(admit().admitted).toBe(true);
  });

  it("counts a settlement that comes later than the window", () => {
    const { admit, tokensLeft, clock } = budget("9/minute; 1000 tokens/minute sliding-window");
    const long = admit() as Admitted;
    clock.advance(90_000);
    long.report({ tokens: 700 });
    expect(tokensLeft()).toBe(300);
  });

  it("distinguishes a request that can never be admitted from one that must wait", () => {
    const { admit } = budget();
    expect(admit(1001)).toMatchObject({
      admitted: false,
      reason: "cost-exceeds-quota",
      retryAfterSeconds: Number.POSITIVE_INFINITY,
      affordable: { requests: 3, tokens: 1000 },
    });
    expect(admit(1000).admitted).toBe(true);
  });

  it("does not affect other requests by refusing an expensive one", () => {
    const { admit } = budget();
    admit(600);
    for (let n = 0; n < 20; n += 1) expect(admit(500).admitted).toBe(false);
    expect(admit(400).admitted).toBe(true);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "12", null])("refuses a cost of %s", (tokens) => {
    const { limiter, admit } = budget();
    const cost = { tokens } as never;
    const message = `The cost in tokens must be a whole number from 0 up, got ${typeof tokens === "string" ? `"${tokens}"` : tokens}.`;
    expect(() => limiter.admit("a", { cost })).toThrow(message);
    expect(() => (admit(1) as Admitted).report(cost)).toThrow(message);
  });

  it("resets a caller in every layer", () => {
    const { admit, limiter } = budget();
    for (let n = 0; n < 3; n += 1) (admit(10) as Admitted).end();
    expect(admit(10).admitted).toBe(false);
    limiter.reset("a");
    expect(admit(1000).admitted).toBe(true);
  });
});

describe("extend", () => {
  it("charges more during a stream, in every layer or in none", () => {
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [
        { name: "user", key: (key) => key, limits: "5/minute; 1000 tokens/hour sliding-window" },
        { name: "all", key: () => "all", limits: "1500 tokens/hour sliding-window" },
      ],
      clock: fakeClock(),
    });
    const left = () => (limiter.peek("a") as Admission).limits.map(({ remaining }) => remaining);
    const first = limiter.admit("a", { cost: { tokens: 400 } }) as Admitted;
    limiter.admit("b", { cost: { tokens: 600 } });
    expect(first.extend({ tokens: 500 })).toEqual({ admitted: true, granted: { tokens: 500 } });
    expect(left()).toEqual([4, 100, 0]);
    expect(first.extend({ tokens: 50 })).toMatchObject({ admitted: false, affordable: { tokens: 0 } });
    expect(left()).toEqual([4, 100, 0]);
    first.report({ tokens: 450 });
    expect(left()).toEqual([4, 100, 0]);
    first.end("nothing");
    expect(left()).toEqual([5, 1000, 900]);
  });
});

describe("concurrent limits", () => {
  function streams(limits = "2 concurrent") {
    const clock = fakeClock();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (key) => key, limits }],
      clock,
    });
    return { clock, admit: () => limiter.admit("a") as Admission };
  }

  it("admits up to the quota, and the next request as soon as one ends", async () => {
    const { admit } = streams();
    const first = admit() as Admitted;
    admit();
    const { admitted, retryAfterMs, waitsFor } = admit() as Refused;
    expect({ admitted, retryAfterMs, waitsFor }).toEqual({
      admitted: false,
      retryAfterMs: 30_000,
      waitsFor: "holders",
    });
    first.end();
    first.end();
    {
      await using inside = admit() as Admitted;
      expect(inside.admitted).toBe(true);
      expect(admit().admitted).toBe(false);
    }
    expect(admit().admitted).toBe(true);
  });

  it("keeps other charges when a place is freed, and gives both back in a refund", () => {
    const { admit } = streams("9 concurrent; 2/hour");
    (admit() as Admitted).end();
    const second = admit() as Admitted;
    expect(admit().admitted).toBe(false);
    second.end("nothing");
    expect(second.limits.map(({ remaining }) => remaining)).toEqual([9, 1]);
  });

  it("keeps holds at a reset, until they end", () => {
    const clock = fakeClock();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "user", key: (key) => key, limits: "1 concurrent" }],
      clock,
    });
    const first = limiter.admit("a") as Admitted;
    limiter.reset("a");
    clock.advance(1);
    expect((limiter.admit("a") as Admission).admitted).toBe(false);
    first.end();
    expect((limiter.admit("a") as Admission).admitted).toBe(true);
  });

  it("renews holds automatically, and stops when there are none", () => {
    vi.useFakeTimers();
    try {
      const { admit, clock } = streams("1 concurrent per 30 seconds");
      const first = admit() as Admitted;
      for (let n = 0; n < 30; n += 1) {
        clock.advance(10_000);
        vi.advanceTimersByTime(10_000);
        expect(admit().admitted).toBe(false);
      }
      first.end();
      expect(vi.getTimerCount()).toBe(0);
      expect(admit().admitted).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("decision events and errors", () => {
  it("reports every decision, but no peek", () => {
    const events: DecisionEvent[] = [];
    const { admit, limiter, clock } = chat({ onDecision: (event) => events.push(event) });
    for (let n = 0; n < 6; n += 1) admit(alice);
    limiter.peek(alice);
    expect(events.map(({ admission }) => admission.admitted)).toEqual([true, true, true, true, true, false]);
    expect(events[0]).toMatchObject({
      at: clock.now(),
      partitions: [
        { layer: "user", key: "alice" },
        { layer: "ip", key: "203.0.113.7" },
      ],
    });
  });

  it("still decides when a listener, onError and the console throw", () => {
    const silence = vi.spyOn(console, "error").mockImplementation(() => {});
    const fail = () => {
      throw new Error("listener");
    };
    const { admit } = chat({ onDecision: fail, onError: fail });
    expect(admit(alice).admitted).toBe(true);
    expect(silence).toHaveBeenCalled();
    silence.mockRestore();
  });

  it("counts callers without a usable key together, neither admitting nor refusing all", () => {
    const onError = vi.fn();
    const limiter = createLimiter<Caller>({
      name: "chat",
      layers: [
        {
          name: "user",
          key: () => {
            throw new Error("no session");
          },
          limits: "2/minute",
        },
      ],
      onError,
    });
    const admitted = [1, 2, 3].map(() => (limiter.admit(alice) as Admission).admitted);
    expect(admitted).toEqual([true, true, false]);
    expect(onError.mock.calls).toEqual([
      [
        expect.objectContaining({
          code: "policy-invalid",
          message: 'The key of layer "user" threw: no session. The request is counted as unidentified.',
        }),
      ],
    ]);
    expect((admitUnidentified(limiter) as Admission).admitted).toBe(false);
  });

  it("does not store overlong keys", () => {
    const { admit } = chat({ onError: () => {} });
    for (let n = 0; n < 5; n += 1)
      expect(admit({ user: `${n}${"x".repeat(5000)}`, ip: `ip${n}` }).admitted).toBe(true);
    expect(admit({ user: `6${"x".repeat(5000)}`, ip: "ip6" }).admitted).toBe(false);
  });

  const broken = (fail: () => never): Store => ({
    name: "broken",
    remote: true,
    decide: fail,
    adjust: fail,
    reset: fail,
  });
  const lost = () => {
    throw new Error("connection lost");
  };

  it.each<[string, Store]>([
    ["throws", broken(lost)],
    ["rejects", { ...broken(lost), decide: async () => lost(), adjust: async () => lost() }],
  ])("counts locally when the store %s, and reports it", async (_how, store) => {
    const onError = vi.fn();
    const { limiter } = chat({ store, onError });
    const admitted: boolean[] = [];
    for (let n = 0; n < 6; n += 1) {
      const admission = await limiter.admit(alice);
      expect(admission.decidedBy).toBe("outage-policy");
      admitted.push(admission.admitted);
    }
    expect(admitted).toEqual([true, true, true, true, true, false]);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: "connection lost" }));
  });

  it("reports a settlement that the store rejects, instead of throwing", async () => {
    const onError = vi.fn();
    const memory = memoryStore();
    for (const adjust of [lost, async () => lost()]) {
      const { limiter } = chat({ store: { ...memory, decide: memory.decide, adjust }, onError });
      const admission = (await limiter.admit(alice)) as Admitted;
      await admission.end("nothing");
    }
    expect(onError).toHaveBeenCalledTimes(2);
  });

  it("reports on the console by default, but a limited number of lines", () => {
    const silence = vi.spyOn(console, "error").mockImplementation(() => {});
    const { admit } = chat({ store: broken(lost) });
    for (let n = 0; n < 50; n += 1) admit(alice);
    expect(silence).toHaveBeenCalledTimes(1);
    silence.mockRestore();
  });
});
