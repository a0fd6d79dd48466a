import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { race } from "@headgate/test-servers/race.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import type { Clock } from "../core/clock.ts";
import type { Store } from "../core/store.ts";
import { postgresStore } from "../stores/postgres/index.ts";
import { redisStore } from "../stores/redis/index.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { createLimiter } from "./limiter.ts";

const raceMs = 120_000;
const lease = 30_000;

const layers = [
  { name: "user", limits: "50/hour; 5000 tokens/hour sliding-window" },
  { name: "all", limits: "500/hour" },
];

function limiterOver(store: Store, clock: Clock) {
  return createLimiter<string>({
    name: "chat",
    store,
    clock,
    timeouts: { storeMs: 60_000 },
    layers: layers.map(({ name, limits }) => ({ name, limits, key: (caller) => caller })),
  });
}

describe.each([
  ["Redis", startRedis, (url: string, clock?: Clock): Store => redisStore(url, clock ? { clock } : {})],
  [
    "PostgreSQL",
    (): Promise<PostgresServer> => startPostgres(),
    (url: string, clock?: Clock): Store => postgresStore(url, clock ? { clock } : {}),
  ],
] as const)("ids of requests on %s", (_name, start, open) => {
  let server: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server?.remove());

  it(
    "six processes send one id 50 times each: one request is admitted and charged, and none when all are killed",
    async () => {
      const again = { url: server.url, processes: 6, attemptsEach: 50, layers, key: "raced", id: "message" };
      const admitted = await race(again);
      expect(admitted.reduce((sum, one) => sum + one, 0)).toBe(1);
      const more = await race({ ...again, processes: 2 });
      expect(more).toEqual([0, 0]);
      const store = open(server.url);
      const limiter = limiterOver(store, { now: () => Date.now() });
      const left = await limiter.peek("raced");
      expect(left.limits.map(({ remaining }) => remaining)).toEqual([49, 5000, 499]);
      await limiter.close();
      await store.close?.();
    },
    raceMs,
  );

  it("after a process dies, another takes the id over, and the first cannot change it any more", async () => {
    const time = fakeClock();
    const stores = [open(server.url, time), open(server.url, time)] as const;
    // Without timers there are no heartbeats, as in a process that has stopped.
    const stopped = limiterOver(stores[0], { now: () => time.now() });
    const running = limiterOver(stores[1], time);
    const request = { id: "m1", fingerprint: "a", cost: { tokens: 100 } };
    const first = (await stopped.admit("ann", { ...request, result: "stream 1" })) as Admitted;
    expect(first.attempt).toBe(1);
    expect(await running.admit("ann", request)).toMatchObject({ state: "running", result: "stream 1" });
    expect(await running.admit("ann", { ...request, fingerprint: "b" })).toMatchObject({ state: "conflict" });
    time.advance(lease);
    const next = (await running.admit("ann", { ...request, result: "stream 2" })) as Admitted;
    expect(next).toMatchObject({ admitted: true, attempt: 2, granted: { requests: 1, tokens: 100 } });
    await first.end({ tokens: 70 }, { result: "late" });
    for (let beats = 0; beats < 6; beats += 1) {
      time.advance(lease / 3);
      // The heartbeat is a call to the store.
      await running.peek("ann");
      expect(await stopped.admit("ann", request)).toMatchObject({ state: "running", result: "stream 2" });
    }
    await next.end({ tokens: 50 }, { result: "answer 2" });
    expect(await stopped.admit("ann", request)).toMatchObject({ state: "done", result: "answer 2" });
    const { limits } = await running.peek("ann");
    // Both attempts have used tokens; the request was paid once.
    expect(limits.map(({ remaining }) => remaining)).toEqual([49, 4880, 499]);
    await Promise.all([stopped.close(), running.close()]);
    await Promise.all(stores.map((store) => store.close?.()));
  });

  it("sends an id in one call, even if the caller was refused a moment ago", async () => {
    const time = fakeClock();
    const store = open(server.url, time);
    let calls = 0;
    const counted: Store = {
      ...store,
      decide(...asked) {
        calls += 1;
        return store.decide(...asked);
      },
    };
    const limiter = limiterOver(counted, time);
    await limiter.ready({ timeoutMs: 60_000 });
    calls = 0;
    const first = (await limiter.admit("bob", { id: "m1", cost: { requests: 50 } })) as Admitted;
    expect(calls).toBe(1);
    expect(await limiter.admit("bob")).toMatchObject({ reason: "quota-exceeded" });
    calls = 0;
    expect(await limiter.admit("bob")).toMatchObject({ decidedBy: "refusal-memory" });
    expect(calls).toBe(0);
    expect(await limiter.admit("bob", { id: "m1" })).toMatchObject({ reason: "known", state: "running" });
    expect(await limiter.admit("bob", { id: "m2" })).toMatchObject({ reason: "quota-exceeded" });
    expect(calls).toBe(2);
    await first.end("nothing");
    expect(await limiter.admit("bob", { id: "m2" })).toMatchObject({ admitted: true });
    await limiter.close();
    await store.close?.();
  });
});
