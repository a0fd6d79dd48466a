import { type Guarded, guardedBy } from "@headgate/test-servers/guarded-by.ts";
import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { redisStore } from "../stores/redis/index.ts";

let server: RedisServer;
let store: ReturnType<typeof redisStore>;
let guarded: Guarded;

beforeEach(async () => {
  server = await startRedis();
  store = redisStore(server.url);
  await store.check();
  guarded = guardedBy(store);
});

afterEach(async () => {
  await guarded.limiter.close();
  await store.close();
  await server.remove();
});

describe("a Redis server that fails", () => {
  it("by a crash: requests are decided locally meanwhile, and sent to it afterwards", async () => {
    expect((await guarded.admit("alice")).decidedBy).toBe("store");
    await server.crash();
    await guarded.isOpen();
    const admitted: boolean[] = [];
    for (let n = 0; n < 7; n += 1) admitted.push((await guarded.admit("bob", 10)).admitted);
    expect(admitted).toEqual([true, true, true, true, true, false, false]);
    await server.start();
    await guarded.isBack();
    expect(await guarded.left("bob")).toEqual([0, 950]);
    expect((await guarded.admit("bob")).admitted).toBe(false);
  }, 60_000);

  it("by freezing: no request waits longer than the time limit, and late charges are taken back", async () => {
    const first = (await guarded.admit("alice", 100)) as Admitted;
    process.kill(server.pid, "SIGSTOP");
    try {
      const answers = await Promise.all(Array.from({ length: 7 }, () => guarded.admit("bob", 10)));
      expect(answers.filter(({ admitted }) => admitted)).toHaveLength(5);
      await first.end({ tokens: 30 });
      await guarded.isOpen();
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await guarded.isBack();
    await guarded.until(
      "What was charged late is taken back",
      async () => (await guarded.left("bob"))[1] === 950,
    );
    expect(await guarded.left("bob")).toEqual([0, 950]);
    await guarded.until("What was settled is settled", async () => (await guarded.left("alice"))[1] === 970);
    expect(await guarded.left("alice")).toEqual([4, 970]);
  }, 60_000);

  it("to write, because it is full: requests that need a charge are decided locally, and sent to it once it has room", async () => {
    // Once a request has had an answer or a time-out, later requests do not wait for the store again.
    await guarded.limiter.ready();
    server.command("config", "set", "maxmemory", "1");
    const admitted: boolean[] = [];
    for (let n = 0; n < 7; n += 1) admitted.push((await guarded.admit("carol", 10)).admitted);
    expect(admitted).toEqual([true, true, true, true, true, false, false]);
    server.command("config", "set", "maxmemory", "0");
    await guarded.isBack();
    expect(await guarded.left("carol")).toEqual([0, 950]);
  }, 60_000);

  it("to write, because it has become a replica", async () => {
    await guarded.admit("dave");
    server.command("config", "set", "replica-serve-stale-data", "yes");
    server.command("replicaof", "127.0.0.1", "1");
    await guarded.isOpen();
    expect((await guarded.admit("dave")).admitted).toBe(true);
    server.command("replicaof", "no", "one");
    await guarded.isBack();
    expect(await guarded.left("dave")).toEqual([3, 998]);
  }, 60_000);
});
