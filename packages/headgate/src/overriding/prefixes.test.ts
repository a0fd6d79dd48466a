import { eachStore } from "@headgate/test-servers/each-store.ts";
import { describe, expect, it, vi } from "vitest";
import type { Refused } from "../core/admission.ts";
import type { HeadgateError } from "../core/errors.ts";
import type { ChangedEvent } from "../core/limiter-events.ts";
import type { Store } from "../core/store.ts";
import type { Limiter, LimiterOptions } from "../limiter/contract.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { memoryStore } from "../stores/memory/index.ts";
import { type FakeClock, fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { writeList } from "./prefix-list.ts";

const { memory, redis, postgres } = eachStore();
const stores = [
  ["memory", memory],
  ["redis", redis],
  ["postgres", postgres],
] as const;

const minute = 60_000;

interface Caller {
  readonly user: string;
  readonly address?: string;
}

let made = 0;

/** Creates processes of a new limiter. */
function processes(make: (clock: FakeClock) => Store, more: Partial<LimiterOptions<Caller>> = {}) {
  made += 1;
  const clock = fakeClock();
  const store = make(clock);
  const errors: unknown[] = [];
  const name = `prefixes-${made}-${Math.random().toString(36).slice(2)}`;
  const start = () =>
    createLimiter<Caller>({
      name,
      layers: [
        { name: "user", key: ({ user }) => user, limits: "5/minute; 100 tokens/minute" },
        { name: "address", key: ({ address }) => address ?? null, limits: "50/minute" },
      ],
      store,
      clock,
      timeouts: { storeMs: 10_000 },
      onError: (error) => errors.push(error),
      onWarning: () => {},
      onOutage: () => {},
      ...more,
    });
  return { clock, store, errors, start };
}

async function quotaOf(limiter: Limiter<Caller>, user: string, layer = "user", address = "192.0.2.1") {
  const { limits, overrides } = await limiter.peek({ user, address }, { layer });
  return overrides?.[0]?.limits === "blocked" ? "blocked" : (limits[0]?.quota ?? "unlimited");
}

async function admittedOf(limiter: Limiter<Caller>, user: string, times: number): Promise<number> {
  let admitted = 0;
  for (let n = 0; n < times; n += 1) {
    const admission = await limiter.admit({ user });
    if (!admission.admitted) continue;
    admitted += 1;
    await admission.end();
  }
  return admitted;
}

/** Advances the clock by two seconds: by then every process has read the others' changes. */
async function polled(clock: FakeClock, holds: () => Promise<void>): Promise<void> {
  clock.advance(1000);
  await vi.waitFor(holds, { timeout: 10_000, interval: 5 });
}

describe.each(stores)("overrides by prefix over %s", (_name, make) => {
  it("apply to all keys with the prefix, immediately in this process and within two seconds in another", async () => {
    const { clock, start } = processes(make);
    const [here, there] = [start(), start()];
    expect(await quotaOf(there, "org-42:ann")).toBe(5);
    const until = clock.now() + 10 * minute;
    await here.overridePrefix(
      { layer: "user", prefix: "org-42:" },
      { limits: "8/minute", until, reason: "launch day", by: "ada" },
    );
    expect(await quotaOf(here, "org-42:ann")).toBe(8);
    expect(await quotaOf(here, "org-4")).toBe(5);
    expect(await quotaOf(here, "x-org-42:ann")).toBe(5);
    expect(await quotaOf(here, "org-42:ann", "address")).toBe(50);
    await polled(clock, async () => expect(await quotaOf(there, "org-42:bob")).toBe(8));
    expect(await admittedOf(there, "org-42:bob", 10)).toBe(8);
    expect((await there.peek({ user: "org-42:bob" })).overrides).toEqual([
      { layer: "user", prefix: "org-42:", limits: "8/minute", until, reason: "launch day", by: "ada" },
    ]);
    expect(await there.prefixOverrides()).toEqual([
      { layer: "user", prefix: "org-42:", limits: "8/minute", until, reason: "launch day", by: "ada" },
    ]);
    // A process that starts later reads the override before its first decision.
    expect(await quotaOf(start(), "org-42:eve")).toBe(8);
    await there.endPrefixOverride({ layer: "user", prefix: "org-42:" });
    expect(await quotaOf(there, "org-42:ann")).toBe(5);
    await polled(clock, async () => expect(await quotaOf(here, "org-42:ann")).toBe(5));
    expect(await here.prefixOverrides()).toEqual([]);
  });

  it("are not read while there are no decisions, and are read before the next decision", async () => {
    const { clock, store, start } = processes(make);
    if (!store.remote) return;
    let reads = 0;
    let last: unknown;
    const { readShared } = store;
    store.readShared = (limiter, version) => {
      reads += 1;
      const reading = readShared?.call(store, limiter, version);
      last = reading;
      return reading;
    };
    const [here, there] = [start(), start()];
    expect(await quotaOf(here, "bot-1")).toBe(5);
    await polled(clock, async () => expect(reads).toBeGreaterThan(1));
    // Each step lets a pending read end.
    for (let n = 0; n < 100; n += 1) {
      clock.advance(1000);
      await last;
      await here.prefixOverrides();
    }
    const idle = reads;
    clock.advance(minute);
    await here.prefixOverrides();
    expect(reads).toBe(idle + 1);
    await there.overridePrefix({ layer: "user", prefix: "bot-" }, { limits: "blocked" });
    expect(await quotaOf(here, "bot-1")).toBe("blocked");
  });

  it("give way to a longer prefix, and to an override or block of the caller", async () => {
    const { start } = processes(make);
    const limiter = start();
    const ann = { user: "org-42:ann" };
    await limiter.overridePrefix({ layer: "user", prefix: "org-42:" }, { limits: "blocked" });
    await limiter.overridePrefix({ layer: "user", prefix: "org-42:a" }, { limits: "7/minute" });
    expect(await quotaOf(limiter, "org-42:ann")).toBe(7);
    expect(await quotaOf(limiter, "org-42:bob")).toBe("blocked");
    await limiter.override(ann, { limits: "9/minute" });
    expect(await quotaOf(limiter, "org-42:ann")).toBe(9);
    expect(await quotaOf(start(), "org-42:ann")).toBe(9);
    await limiter.override({ user: "org-42:bob" }, { limits: "3/minute" });
    expect(await quotaOf(limiter, "org-42:bob")).toBe(3);
    expect(await quotaOf(start(), "org-42:bob")).toBe(3);
    expect(await admittedOf(start(), "org-42:bob", 5)).toBe(3);
    await limiter.block(ann);
    expect(await quotaOf(limiter, "org-42:ann")).toBe("blocked");
    await limiter.unblock(ann);
    expect(await quotaOf(limiter, "org-42:ann")).toBe(7);
    await limiter.endPrefixOverride({ layer: "user", prefix: "org-42:a" });
    expect(await quotaOf(limiter, "org-42:ann")).toBe("blocked");
    await limiter.endPrefixOverride({ layer: "user", prefix: "org-42:" });
    expect(await quotaOf(limiter, "org-42:ann")).toBe(5);
  });

  it("end at their time, and refuse with a wait until then", async () => {
    const { clock, start } = processes(make);
    const limiter = start();
    await limiter.overridePrefix({ layer: "user", prefix: "bot-" }, { limits: "blocked", forMs: 5 * minute });
    const refused = (await limiter.admit({ user: "bot-1" })) as Refused;
    expect(refused).toMatchObject({ admitted: false, reason: "blocked", retryAfterMs: 5 * minute });
    clock.advance(5 * minute - 1);
    expect(await limiter.admit({ user: "bot-1" })).toMatchObject({ reason: "blocked", retryAfterMs: 1 });
    clock.advance(1);
    expect(await admittedOf(limiter, "bot-1", 9)).toBe(5);
    expect(await limiter.prefixOverrides()).toEqual([]);
    await limiter.overridePrefix({ layer: "user", prefix: "bot-" }, { limits: "blocked" });
    expect(await limiter.admit({ user: "bot-2" })).toMatchObject({
      reason: "blocked",
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
  });

  it("keep what was spent, when they begin and when they end", async () => {
    const { start } = processes(make);
    const limiter = start();
    expect(await admittedOf(limiter, "org-42:ann", 4)).toBe(4);
    const target = { layer: "user", prefix: "org-42:" };
    await limiter.overridePrefix(target, { limits: "8/minute" });
    expect(await admittedOf(limiter, "org-42:ann", 9)).toBe(4);
    await limiter.overridePrefix(target, { limits: "unlimited" });
    expect(await admittedOf(limiter, "org-42:ann", 3)).toBe(3);
    await limiter.overridePrefix(target, { limits: "12/10 minutes" });
    expect(await admittedOf(limiter, "org-42:ann", 3)).toBe(1);
    await limiter.endPrefixOverride(target);
    expect(await admittedOf(limiter, "org-42:ann", 3)).toBe(0);
    // Units that the override does not name keep the caller's limits.
    await limiter.overridePrefix(target, { limits: "50/minute" });
    const { limits } = await limiter.peek({ user: "org-42:ann" });
    expect(limits.map(({ name, quota }) => [name, quota])).toEqual([
      ["user-per-minute", 50],
      ["user-tokens-per-minute", 100],
    ]);
  });

  it.each([
    ["50%_", "50%_off:1", "50abc:1"],
    ["a*", "a*b", "ab"],
    ["a?[b]", "a?[b]c", "axb"],
    ["a\\", "a\\b", "ab"],
    ["__proto__", "__proto__:1", "proto"],
    ["k\u00f6ln-", "k\u00f6ln-7", "koln-7"],
    ["\u{1f600}", "\u{1f600}7", "\u{1f601}7"],
    ["'; --", "'; --x", "' --x"],
  ])("match literally: %j", async (prefix, inside, outside) => {
    const { start } = processes(make);
    const limiter = start();
    await limiter.overridePrefix({ layer: "user", prefix }, { limits: "7/minute" });
    const other = start();
    expect(await quotaOf(other, inside)).toBe(7);
    expect(await quotaOf(other, prefix)).toBe(7);
    expect(await quotaOf(other, outside)).toBe(5);
  });

  it("are all kept if several processes set some at the same time", async () => {
    const { start } = processes(make);
    const limiters = [start(), start(), start()];
    await Promise.all(
      limiters.flatMap((limiter, n) =>
        ["a", "b", "c"].map((name) =>
          limiter.overridePrefix({ layer: "user", prefix: `${name}${n}:` }, { limits: "7/minute" }),
        ),
      ),
    );
    const kept = await (limiters[0] as Limiter<Caller>).prefixOverrides();
    expect(kept.map(({ prefix }) => prefix).sort()).toEqual([
      "a0:",
      "a1:",
      "a2:",
      "b0:",
      "b1:",
      "b2:",
      "c0:",
      "c1:",
      "c2:",
    ]);
  });

  it("are at most 1,000, and expired ones make room", async () => {
    const { clock, store, start } = processes(make);
    const limiter = start();
    const until = clock.now() + minute;
    const overrides = Array.from({ length: 1000 }, (_, n) => ({
      layer: "user",
      prefix: `p${n}:`,
      id: n + 1,
      limits: "7/minute",
      until,
    }));
    await store.writeShared?.(limiter.name, 0, writeList({ version: 1, series: 1, merged: [], overrides }));
    const more = async () => limiter.overridePrefix({ layer: "user", prefix: "q:" }, { limits: "8/minute" });
    await expect(more()).rejects.toMatchObject({
      code: "store-full",
      message: /at most 1000 overrides by prefix/,
    });
    // A replacement needs no room.
    await limiter.overridePrefix({ layer: "user", prefix: "p7:" }, { limits: "9/minute", until });
    expect(await quotaOf(limiter, "p7:ann")).toBe(9);
    expect(await quotaOf(limiter, "p999:ann")).toBe(7);
    clock.advance(minute);
    await more();
    expect(await limiter.prefixOverrides()).toHaveLength(1);
  });
});

describe("an override by prefix", () => {
  it.each<[what: string, call: (limiter: Limiter<Caller>) => unknown, message: RegExp]>([
    [
      "no prefix",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: "" }, { limits: "7/minute" }),
      /prefix of overridePrefix must be the first characters of keys, from 1 to 200 of them, got "".*setPolicy/,
    ],
    [
      "a prefix that is too long",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: "x".repeat(201) }, { limits: "7/minute" }),
      /got 201 characters/,
    ],
    [
      "a prefix that is not text",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: 7 as never }, { limits: "7/minute" }),
      /got 7/,
    ],
    [
      "a prefix of shared keys",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: "\u0000" }, { limits: "7/minute" }),
      /begins with NUL/,
    ],
    [
      "an unknown layer",
      (limiter) => limiter.overridePrefix({ layer: "org", prefix: "x" }, { limits: "7/minute" }),
      /one of "user", "address", got "org"/,
    ],
    [
      "an unknown option",
      (limiter) =>
        limiter.overridePrefix({ layer: "user", prefix: "x" }, {
          limits: "7/minute",
          layer: "user",
        } as never),
      /layer/,
    ],
    [
      "no options",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: "x" }, undefined as never),
      /overridePrefix takes an object/,
    ],
    [
      "unreadable limits",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: "x" }, { limits: "7 a while" }),
      /7 a while/,
    ],
    [
      "a unit that no limit counts",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: "x" }, { limits: "7 pages/minute" }),
      /"pages"/,
    ],
    [
      "an end in the past",
      (limiter) => limiter.overridePrefix({ layer: "user", prefix: "x" }, { limits: "blocked", until: 1 }),
      /later than now/,
    ],
    [
      "ending an unknown prefix",
      (limiter) => limiter.endPrefixOverride({ layer: "user", prefix: "" }),
      /prefix of endPrefixOverride/,
    ],
  ])("throws for %s", (_what, call, message) => {
    const { start } = processes(memory);
    const limiter = start();
    expect(() => call(limiter)).toThrow(message);
    expect(limiter.prefixOverrides()).toEqual([]);
  });

  it("throws on a store that cannot keep it", () => {
    const { decide, adjust, reset } = memoryStore();
    const { start } = processes(() => ({ name: "mine", remote: false, decide, adjust, reset }));
    const limiter = start();
    const call = () => limiter.overridePrefix({ layer: "user", prefix: "x" }, { limits: "7/minute" });
    expect(call).toThrow(expect.objectContaining({ code: "store-invalid" } satisfies Partial<HeadgateError>));
    expect(call).toThrow('The store "mine" keeps no overrides by prefix');
  });

  it("can be ended after its layer has left the policy", () => {
    const { start } = processes(memory);
    const limiter = start();
    const network = { layer: "address", prefix: "203.0.113." };
    limiter.overridePrefix(network, { limits: "blocked" });
    limiter.setPolicy([{ name: "user", limits: "5/minute" }]);
    expect(() => limiter.overridePrefix(network, { limits: "unlimited" })).toThrow('got "address"');
    limiter.endPrefixOverride(network);
    expect(limiter.prefixOverrides()).toEqual([]);
    expect(() => limiter.endPrefixOverride(network)).toThrow(
      'layer of endPrefixOverride must be a layer of the policy, or of an override in force, one of "user", got "address".',
    );
  });

  it("does not affect callers without a usable key, who share a partition", async () => {
    const { start } = processes(memory);
    const limiter = start();
    await limiter.overridePrefix({ layer: "user", prefix: "x" }, { limits: "blocked" });
    expect(await quotaOf(limiter, "x".repeat(1025))).toBe(5);
    expect(await quotaOf(limiter, "x".repeat(1024))).toBe("blocked");
  });

  it("is reported to observers, with its layer and prefix", () => {
    const { clock, start } = processes(memory);
    const limiter = start();
    const changes: ChangedEvent[] = [];
    limiter.observe({ changed: (event) => changes.push(event) });
    limiter.overridePrefix({ layer: "user", prefix: "x" }, { limits: "7/minute", forMs: minute });
    limiter.endPrefixOverride({ layer: "user", prefix: "x" });
    expect(changes).toMatchObject([
      {
        kind: "prefix-override",
        layer: "user",
        prefix: "x",
        limits: "7/minute",
        until: clock.now() + minute,
      },
      { kind: "prefix-override", layer: "user", prefix: "x", limits: undefined, until: undefined },
    ]);
  });
});

describe("an override by prefix, if the store fails", () => {
  function failing() {
    const shared = memoryStore();
    const scripted = scriptedStore(shared);
    const ask = <Answer>(call: () => Answer): Promise<Answer> =>
      scripted.mode === "answer" ? Promise.resolve(call()) : Promise.reject(new Error("connection lost"));
    const store = Object.assign(scripted, {
      check: () => ask(() => {}),
      readShared: (limiter: string, version: number) => ask(() => shared.readShared(limiter, version)),
      writeShared: (...[limiter, version, next]: Parameters<typeof shared.writeShared>) =>
        ask(() => shared.writeShared(limiter, version, next)),
    });
    return { shared, ...processes(() => store), scripted };
  }

  /** Creates a shared store that loses its data when it is closed. */
  const losing = () =>
    processes(() => {
      const shared = memoryStore();
      return { ...shared, remote: true, size: undefined, check: async () => {} } as unknown as Store;
    });

  it("stays in force, and cannot be changed", async () => {
    const { clock, scripted, errors, start } = failing();
    const [limiter, other] = [start(), start()];
    const target = { layer: "user", prefix: "bot-" };
    await limiter.overridePrefix(target, { limits: "blocked", forMs: 10 * minute });
    await polled(clock, async () => expect(await quotaOf(other, "bot-1")).toBe("blocked"));
    scripted.mode = "reject";
    for (let n = 0; n < 30; n += 1) {
      expect(await limiter.admit({ user: `bot-${n}` })).toMatchObject({ admitted: false, reason: "blocked" });
      expect(await other.admit({ user: `bot-${n}` })).toMatchObject({ admitted: false, reason: "blocked" });
      expect((await other.admit({ user: `ann-${n}` })).admitted).toBe(true);
      clock.advance(1000);
    }
    await expect(limiter.endPrefixOverride(target)).rejects.toThrow();
    expect(await quotaOf(limiter, "bot-1")).toBe("blocked");
    // One report per process, however long the outage lasts.
    expect(errors.filter((error) => String(error).includes("by prefix"))).toHaveLength(2);
    clock.advance(10 * minute);
    expect((await limiter.admit({ user: "bot-1" })).admitted).toBe(true);
  });

  it("is written back to a store that has lost it", async () => {
    const { clock, store, start } = losing();
    const limiter = start();
    await limiter.overridePrefix({ layer: "user", prefix: "bot-" }, { limits: "blocked" });
    const kept = await store.readShared?.(limiter.name, 0);
    await store.close?.();
    expect(await store.readShared?.(limiter.name, 0)).toBeUndefined();
    await polled(clock, async () => expect(await quotaOf(limiter, "bot-1")).toBe("blocked"));
    await vi.waitFor(async () => expect(await store.readShared?.(limiter.name, 0)).toEqual(kept));
    expect(await quotaOf(start(), "bot-1")).toBe("blocked");
  });

  it.each([1, 2, 3])("is written back next to the changes of another process, %i times", async (changes) => {
    const { clock, store, start } = losing();
    const limiter = start();
    await limiter.overridePrefix({ layer: "user", prefix: "spam-" }, { limits: "7/minute" });
    await limiter.overridePrefix({ layer: "user", prefix: "bot-" }, { limits: "blocked" });
    await store.close?.();
    const fresh = start();
    for (let n = 0; n < changes; n += 1) {
      await fresh.overridePrefix({ layer: "user", prefix: `net-${n}:` }, { limits: "blocked" });
      await fresh.overridePrefix({ layer: "user", prefix: "spam-" }, { limits: "9/minute" });
    }
    for (const one of [limiter, fresh, start()]) {
      await polled(clock, async () => {
        expect(await quotaOf(one, "bot-1")).toBe("blocked");
        expect(await quotaOf(one, `net-${changes - 1}:1`)).toBe("blocked");
        // For each prefix, the latest override applies.
        expect(await quotaOf(one, "spam-1")).toBe(9);
      });
    }
  });

  it("that was ended is not brought back by a process that was asleep when it was ended", async () => {
    const { clock, store, start } = losing();
    const [limiter, idle] = [start(), start()];
    const bots = { layer: "user", prefix: "bot-" };
    await limiter.overridePrefix(bots, { limits: "unlimited" });
    expect(await quotaOf(idle, "bot-1")).toBe("unlimited");
    await store.close?.();
    const fresh = start();
    await fresh.overridePrefix({ layer: "user", prefix: "net-" }, { limits: "blocked" });
    await limiter.overridePrefix({ layer: "user", prefix: "spam-" }, { limits: "blocked" });
    await fresh.endPrefixOverride(bots);
    for (const one of [idle, limiter, fresh, start()]) {
      await polled(clock, async () => {
        expect(await quotaOf(one, "bot-1")).toBe(5);
        expect(await quotaOf(one, "spam-1")).toBe("blocked");
        expect(await quotaOf(one, "net-1")).toBe("blocked");
      });
    }
  });

  it("is written back by a change in a process that knows it", async () => {
    const { store, start } = losing();
    const limiter = start();
    await limiter.overridePrefix({ layer: "user", prefix: "bot-" }, { limits: "blocked" });
    await store.close?.();
    const fresh = start();
    await fresh.overridePrefix({ layer: "user", prefix: "net-" }, { limits: "blocked" });
    await limiter.overridePrefix({ layer: "user", prefix: "spam-" }, { limits: "blocked" });
    const prefixes = (await limiter.prefixOverrides()).map(({ prefix }) => prefix);
    expect(prefixes.sort()).toEqual(["bot-", "net-", "spam-"]);
  });
});
