import { createSentinel } from "redis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Guarded, guardedBy } from "../../test-servers/guarded-by.ts";
import { type RedisSentinels, type RedisServer, startSentinels } from "../../test-servers/redis.ts";
import type { Admitted } from "../core/admission.ts";
import { redisStore } from "../stores/redis/index.ts";

const longestTestMs = 60_000;

let setUp: RedisSentinels;
beforeAll(async () => {
  setUp = await startSentinels();
}, longestTestMs);
afterAll(() => setUp?.remove(), longestTestMs);

describe("a master that its Sentinels replace", () => {
  it(
    "requests are decided here until the new one answers, and told to it then",
    async () => {
      const hosts = setUp.sentinels.map(({ host, port }) => `${host}:${port}`).join();
      const client = createSentinel({
        name: setUp.master,
        sentinelRootNodes: setUp.sentinels.map(({ host, port }) => ({ host, port })),
      });
      client.on("error", () => {});
      await client.connect();
      const stores = [redisStore(`redis://${hosts}?sentinel=${setUp.master}`), redisStore(client)];
      const byUrl = guardedBy(stores[0] as (typeof stores)[0]);
      const byClient = guardedBy(stores[1] as (typeof stores)[0]);
      const both: [string, Guarded][] = [
        ["alice", byUrl],
        ["bob", byClient],
      ];
      for (const [, { limiter }] of both) await limiter.ready();
      const handles = new Map<string, Admitted>();
      for (const [user, { admit }] of both) handles.set(user, (await admit(user, 100)) as Admitted);

      const port = setUp.masterPort();
      const master = setUp.servers.find((server) => server.port === port) as RedisServer;
      const replicas = String(setUp.servers.length - 1);
      await vi.waitFor(() => expect(master.command("wait", replicas, "1000")).toBe(replicas), {
        timeout: 20_000,
        interval: 100,
      });
      await master.crash();

      // One of them has been spent: four are left of the quota, and this process's own count begins anew.
      for (const [user, guarded] of both) {
        await guarded.isOpen();
        expect(await guarded.admitted(user, 7, 10)).toBe(5);
        await handles.get(user)?.settle({ tokens: 30 });
      }
      for (const [user, guarded] of both) {
        await guarded.isBack();
        await guarded.until("What was settled is settled", async () => (await guarded.left(user))[1] === 920);
        expect(await guarded.left(user)).toEqual([0, 920]);
        expect((await guarded.admit(user)).admitted).toBe(false);
      }
      expect(setUp.masterPort()).not.toBe(port);

      for (const [, { limiter }] of both) await limiter.close();
      for (const store of stores) await store.close();
      client.destroy();
    },
    longestTestMs,
  );
});
