import { postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { describe, expect, it } from "vitest";
import type { Store } from "../core/store.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { redisStore } from "../stores/redis/index.ts";
import { type FakeClock, fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";

/** A limiter whose store counts the processes that report to it. */
function counting(clock: FakeClock, answer: () => unknown = () => 4) {
  const scripted = scriptedStore();
  const notes: { limiter: string; process: string; at: number }[] = [];
  const errors: string[] = [];
  const store: Store = {
    ...scripted,
    async countProcesses(limiter, process, at) {
      notes.push({ limiter, process, at });
      return answer() as number;
    },
  };
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [
      { name: "user", key: (user) => user, limits: "40/hour" },
      { name: "fixed", key: () => "all", limits: "60/hour", outage: { policy: "local", instances: 2 } },
    ],
    store,
    clock,
    onError: (error) => errors.push(String(error)),
    onOutage: () => {},
  });
  async function fail() {
    scripted.mode = "reject";
    for (let n = 0; n < 5; n += 1) await limiter.admit("somebody else");
    expect(limiter.status().state).toBe("open");
  }
  return { limiter, notes, errors, fail };
}

const quotas = ({ limits }: { readonly limits: readonly { readonly quota: number }[] }) =>
  limits.map(({ quota }) => quota);

describe("the local share", () => {
  it("is 1 / n for the n processes that the store last reported, unless the policy sets n", async () => {
    const clock = fakeClock();
    let processes = 4;
    const { limiter, fail } = counting(clock, () => processes);
    expect(limiter.status().processes).toBeUndefined();
    await limiter.admit("alice");
    expect(limiter.status().processes).toBe(4);
    clock.advance(1_000);
    processes = 8;
    await limiter.admit("alice");
    await fail();
    expect(quotas(await limiter.admit("bob"))).toEqual([5, 30]);
    expect(limiter.status().processes).toBe(8);
  });

  it("is never below one unit", async () => {
    const { limiter, errors, fail } = counting(fakeClock(), () => 1000);
    await limiter.admit("alice");
    await fail();
    expect(quotas(await limiter.admit("bob"))).toEqual([1, 30]);
    expect(errors).toEqual(["Error: connection lost"]);
  });

  it.each([[0], [1.5], [Number.NaN], [undefined], ["8"]])(
    "is the whole quota if a store reports %s",
    async (answer) => {
      const { limiter, errors, fail } = counting(fakeClock(), () => answer);
      await limiter.admit("alice");
      expect(limiter.status().processes).toBeUndefined();
      await fail();
      expect(quotas(await limiter.admit("bob"))).toEqual([40, 30]);
      // Only this error reports that each process has the whole quota.
      expect(errors.filter((error) => error.includes('the whole quota of layer "user"'))).toHaveLength(1);
    },
  );

  it("registers the process with its decisions, also after failures: often at first, then every ten seconds", async () => {
    const clock = fakeClock();
    const { limiter, notes } = counting(clock, () => {
      throw new Error("not now");
    });
    const start = clock.now();
    for (let second = 0; second < 60; second += 1) {
      await limiter.admit("alice");
      await limiter.admit("bob");
      clock.advance(1_000);
    }
    expect(notes.map(({ at }) => (at - start) / 1000)).toEqual([0, 1, 2, 3, 4, 6, 10, 17, 27, 37, 47, 57]);
    expect(new Set(notes.map(({ process }) => process)).size).toBe(1);
    expect(notes[0]).toMatchObject({ limiter: "chat", process: expect.stringMatching(/^[0-9a-f]{24}$/) });
    expect(limiter.status()).toMatchObject({ state: "closed", failures: 0 });
  });
});

/** Tests for every store that counts processes. */
async function countsProcesses(store: Store, clock: FakeClock): Promise<void> {
  const count = (limiter: string, process: number) =>
    store.countProcesses?.(limiter, process.toString(16).padStart(24, "0"), clock.now());
  expect(await count("chat", 1)).toBe(1);
  expect(await count("chat", 2)).toBe(2);
  expect(await count("chat", 1)).toBe(2);
  expect(await count("title", 3)).toBe(1);
  clock.advance(20_000);
  expect(await count("chat", 2)).toBe(2);
  clock.advance(10_001);
  expect(await count("chat", 3)).toBe(2);
  clock.advance(40_000);
  expect(await count("chat", 3)).toBe(1);
}

it("Redis counts the processes", async () => {
  const server = await startRedis();
  const clock = fakeClock();
  const [timed, store] = [redisStore(server.url, { clock }), redisStore(server.url, { prefix: "now:" })];
  try {
    await countsProcesses(timed, clock);
    expect(await store.countProcesses("chat", "a".repeat(24), 0)).toBe(1);
    expect(await store.countProcesses("chat", "b".repeat(24), 0)).toBe(2);
    for (const key of server.command("keys", "*").split("\n")) {
      expect(Number(server.command("pttl", key))).toBeGreaterThan(0);
    }
  } finally {
    await Promise.all([timed.close(), store.close()]);
    await server.remove();
  }
}, 30_000);

describe("PostgreSQL", () => {
  const fixture = postgresFixture();
  it("counts the processes", async () => {
    const clock = fakeClock();
    await countsProcesses(fixture.open(undefined, { clock }), clock);
    const store = fixture.open(undefined, { schema: "by the server's clock" });
    expect(await store.countProcesses("chat", "a".repeat(24), 0)).toBe(1);
    expect(await store.countProcesses("chat", "b".repeat(24), 0)).toBe(2);
  });
});
