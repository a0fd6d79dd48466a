import { createSentinel } from "redis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type RedisSentinels, type RedisServer, startSentinels } from "../../../test-servers/redis.ts";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge, Outcome } from "../../core/store.ts";
import { redisStore } from "./index.ts";

const longestTestMs = 60_000;
const limits = compileLimits("user", "50/hour");
const charge: Charge = { space: "user", key: "one", limits, ...amountsOf(limits, undefined) };

let setUp: RedisSentinels;
beforeAll(async () => {
  setUp = await startSentinels();
}, longestTestMs);
afterAll(() => setUp?.remove());

describe("behind Sentinels", () => {
  it(
    "follows the master through a failover, and keeps what had been replicated",
    async () => {
      const hosts = setUp.sentinels.map(({ host, port }) => `${host}:${port}`).join();
      const client = createSentinel({
        name: setUp.master,
        sentinelRootNodes: setUp.sentinels.map(({ host, port }) => ({ host, port })),
      });
      client.on("error", () => {});
      await client.connect();
      const stores = [redisStore(`redis://${hosts}?sentinel=${setUp.master}`), redisStore(client)];
      for (const store of stores) expect((await store.decide([charge], 0, false)).admitted).toBe(true);

      const port = setUp.masterPort();
      const master = setUp.servers.find((server) => server.port === port) as RedisServer;
      // Every replica has it all: a slow machine may still be giving them their first copy.
      const replicas = setUp.servers.length - 1;
      await vi.waitFor(
        () => expect(Number(master.command("wait", String(replicas), "1000"))).toBe(replicas),
        { timeout: 20_000, interval: 100 },
      );
      await master.crash();
      await expect(stores[0]?.decide([charge], 0, false)).rejects.toThrow("The Redis store");

      for (const store of stores) {
        await vi.waitFor(() => store.check(), { timeout: 20_000, interval: 100 });
      }
      expect(setUp.masterPort()).not.toBe(port);
      for (const store of stores) {
        // The new master had never seen the script.
        const outcome = (await store.decide([charge], 0, true)) as Outcome;
        expect(outcome.readings[0]?.[0]?.remaining).toBe(48);
        await store.close();
      }
      client.destroy();
    },
    longestTestMs,
  );
});
