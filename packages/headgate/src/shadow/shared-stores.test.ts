import { postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import { describe, expect, it } from "vitest";
import type { Store } from "../core/store.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { redisStore } from "../stores/redis/index.ts";
import { shadowDecisions } from "../testing/shadow-decisions.ts";

const postgres = postgresFixture();
const redis = redisFixture();

/** Simulates one process, with its own store object and connections. */
function process(store: Store, errors: unknown[] = []) {
  const limiter = createLimiter({
    name: "chat",
    layers: [{ name: "user", key: (user: string) => user, limits: "30/hour" as string }],
    store,
    // The test machine may be slow.
    timeouts: { storeMs: 30_000 },
    onError: (error) => errors.push(error),
  });
  return { limiter, decisions: shadowDecisions(limiter) };
}

describe.each([
  ["Redis", () => redisStore(redis.server.url)],
  ["PostgreSQL", () => postgres.open(postgres.url)],
] as const)("a shadow over %s", (name, open) => {
  it("counts exactly across processes", async () => {
    const processes = [process(open()), process(open())];
    for (const { limiter } of processes) limiter.setShadow([{ name: "user", limits: "7/hour" }]);
    const user = `everybody on ${name}`;
    const asks = Array.from({ length: 40 }, (_, n) => processes[n % 2] as (typeof processes)[number]);
    const answers = await Promise.all(asks.map(({ limiter }) => limiter.admit(user)));
    expect(answers.filter(({ admitted }) => admitted)).toHaveLength(30);
    const events = await Promise.all(asks.map(({ decisions }) => decisions.next()));
    expect(events.filter(({ shadow }) => shadow.admitted)).toHaveLength(7);
    const reports = processes.map(({ limiter }) => limiter.shadowReport());
    const sum = (of: (report: NonNullable<(typeof reports)[number]>) => number) =>
      reports.reduce((total, report) => total + (report === undefined ? 0 : of(report)), 0);
    expect(sum(({ newlyRefused }) => newlyRefused)).toBe(23);
    expect(sum(({ stillRefused }) => stillRefused)).toBe(10);
    for (const { limiter } of processes) await limiter.close();
  }, 60_000);
});

async function evaluations(): Promise<number> {
  const stats = await redis.client.info("commandstats");
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

describe("a shadow in Redis", () => {
  it("is sent in the live decision's call, even if requests come one after another", async () => {
    // Without `countProcesses`, whose occasional calls would be counted too.
    const { countProcesses: _, ...store } = redisStore(redis.server.url, { prefix: "trips:" });
    const { limiter, decisions } = process(store);
    await limiter.admit("ann");
    limiter.setShadow([{ name: "user", limits: "7/hour" }]);
    // Send the requests together, so that all are sent in the same turn.
    await Promise.all([limiter.admit("ann"), limiter.admit("ann")]);
    for (let n = 0; n < 2; n += 1) await decisions.next();
    const before = await evaluations();
    for (let n = 0; n < 10; n += 1) {
      await limiter.admit("ann");
      await decisions.next();
    }
    expect((await evaluations()) - before).toBe(10);
    await limiter.close();
  });

  it("that cannot be read does not affect the live answer in the same call", async () => {
    const errors: unknown[] = [];
    const { limiter, decisions } = process(redisStore(redis.client, { prefix: "spoiled:" }), errors);
    limiter.setShadow([{ name: "user", limits: "7/hour" }]);
    for (let n = 0; n < 2; n += 1) {
      await limiter.admit("ann");
      await decisions.next();
    }
    const keys = await redis.client.keys("spoiled:*ann*");
    const [shadows, live] = [true, false].map((of) => keys.filter((key) => key.includes("shadow") === of));
    expect([shadows?.length, live?.length]).toEqual([1, 1]);
    await redis.client.set(shadows?.[0] as string, "nonsense");
    const answers = [];
    for (let n = 0; n < 3; n += 1) answers.push(await limiter.admit("ann"));
    expect(answers.map(({ limits }) => limits[0]?.remaining)).toEqual([27, 26, 25]);
    await expect.poll(() => limiter.shadowReport()).toMatchObject({ decisions: 2, undecided: 3 });
    expect(limiter.status()).toMatchObject({ state: "closed", counters: { failures: 0 } });
    expect(errors).toHaveLength(1);
    expect(String(errors[0])).toContain('"chat/shadow/user"');
    await limiter.close();
  });
});
