import { postgresFixture } from "@headgate/test-servers/postgres-fixture.ts";
import { redisFixture } from "@headgate/test-servers/redis-fixture.ts";
import { describe, expect, it, vi } from "vitest";
import type { Admitted } from "../core/admission.ts";
import type { Store } from "../core/store.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { type FakeClock, fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { memoryStore } from "./memory/index.ts";
import { redisStore } from "./redis/index.ts";

const redis = redisFixture();
const postgres = postgresFixture();

const stores: Record<string, (clock: FakeClock) => Store> = {
  memory: () => memoryStore(),
  redis: (clock) => redisStore(redis.client, { clock }),
  postgres: (clock) => postgres.open(postgres.pool, { clock }),
};

const second = 1000;
const outage = { policy: "local", instances: 1 } as const;
const asked = { id: "m1", fingerprint: "a", cost: { tokens: 100 } };
const longestTestMs = 30_000;
let names = 0;

/** Processes that share a store. The first loses the replies to its requests. */
function processes(open: (clock: FakeClock) => Store) {
  const clock = fakeClock();
  const shared = open(clock);
  names += 1;
  const name = `lost${names}`;
  const make = (store: Store) =>
    createLimiter({
      name,
      clock,
      store,
      // A slow machine is not an outage.
      timeouts: { storeMs: 5 * second },
      layers: [
        { name: "user", key: (user: string) => user, limits: "9/hour; 1000 tokens/hour", outage },
        { name: "ip", key: () => "127.0.0.1", limits: "20/hour token-bucket", outage },
      ],
      onError() {},
      onOutage() {},
    });
  const arrived: unknown[] = [];
  let acknowledged = 0;
  const scripted = scriptedStore({
    ...shared,
    decide(...question) {
      const answer = shared.decide(...question);
      arrived.push(answer);
      return answer;
    },
    async adjust(...totals) {
      const outcome = await shared.adjust(...totals);
      acknowledged += 1;
      return outcome;
    },
  });
  const [one, other] = [make(scripted), make(shared)];
  const { adjust } = scripted;

  return {
    clock,
    other,
    scripted,

    /** The remaining requests and tokens of the user, and the remaining requests of the address. */
    left: async () => (await other.peek("ann")).limits.map(({ remaining }) => remaining),

    /** Another process claims the id, and dies. */
    async crash(): Promise<void> {
      const its = scriptedStore(shared);
      await make(its).admit("ann", asked);
      its.mode = "reject";
    },

    /** The first process sends a request, which arrives. No reply comes back, and no more calls arrive. */
    async lose(): Promise<Admitted> {
      scripted.mode = "lose";
      scripted.adjust = () => Promise.reject(new Error("connection lost"));
      const admission = await one.admit("ann", asked);
      await Promise.all(arrived);
      // Its totals have failed too.
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      scripted.mode = "reject";
      return admission as Admitted;
    },

    /** The first process sends what it has counted. */
    async reconcile(): Promise<void> {
      scripted.mode = "answer";
      scripted.adjust = adjust;
      const before = acknowledged;
      clock.advance(2 * second);
      await one.peek("bob");
      await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(before), 5 * second);
    },
  };
}

describe.each(Object.entries(stores))("an id is charged once, on %s", (_, open) => {
  it("if the reply to its take-over is lost", { timeout: longestTestMs }, async () => {
    const { clock, other, crash, lose, left, reconcile } = processes(open);
    await crash();
    clock.advance(31 * second);
    const next = await lose();
    expect(next).toMatchObject({ admitted: true, attempt: 1, decidedBy: "outage-policy" });
    await reconcile();
    expect(await left()).toEqual([8, 900, 19]);
    await next.end({ tokens: 30 }, { result: "answer" });
    expect(await other.admit("ann", asked)).toMatchObject({ state: "done", result: "answer" });
    expect(await left()).toEqual([8, 970, 19]);
  });

  it("if a lost take-over ends with nothing", { timeout: longestTestMs }, async () => {
    const { clock, other, crash, lose, left, reconcile } = processes(open);
    await crash();
    clock.advance(31 * second);
    const next = await lose();
    await reconcile();
    await next.end("nothing");
    expect(await left()).toEqual([8, 1000, 19]);
    expect(await other.admit("ann", asked)).toMatchObject({ admitted: true, attempt: 2 });
    expect(await left()).toEqual([8, 900, 19]);
  });

  it.each([80, 100, 600])(
    "if its reply is lost before an outage of %i s",
    { timeout: longestTestMs },
    async (seconds) => {
      const { clock, other, lose, left, reconcile } = processes(open);
      const first = await lose();
      clock.advance(seconds * second);
      const [requests, , fromAddress] = await left();
      await reconcile();
      expect(await left()).toEqual([requests, 900, fromAddress]);
      await first.end({ tokens: 30 }, { result: "answer" });
      expect(await other.admit("ann", asked)).toMatchObject({ state: "done", result: "answer" });
      expect(await left()).toEqual([requests, 970, fromAddress]);
    },
  );

  it("if it ends during the outage", { timeout: longestTestMs }, async () => {
    const { clock, other, lose, left, reconcile } = processes(open);
    const first = await lose();
    await first.end({ tokens: 30 }, { result: "answer" });
    clock.advance(100 * second);
    await reconcile();
    expect(await left()).toEqual([8, 970, 19]);
    expect(await other.admit("ann", asked)).toMatchObject({ state: "done", result: "answer" });
  });
});
