import { createSentinel } from "redis";
import { expect, vi } from "vitest";
import { type RedisStore, redisStore } from "../headgate/src/stores/redis/index.ts";
import type { RedisSentinels, RedisServer } from "./redis.ts";

/** Stores over the same Sentinels: one by a URL, one over node-redis. */
export interface BehindSentinels {
  readonly byUrl: RedisStore;
  readonly byClient: RedisStore;
  close(): Promise<void>;
}

export async function openBehindSentinels({ sentinels, master }: RedisSentinels): Promise<BehindSentinels> {
  const hosts = sentinels.map(({ host, port }) => `${host}:${port}`).join();
  const client = createSentinel({
    name: master,
    sentinelRootNodes: sentinels.map(({ host, port }) => ({ host, port })),
  });
  client.on("error", () => {});
  await client.connect();
  const byUrl = redisStore(`redis://${hosts}?sentinel=${master}`);
  const byClient = redisStore(client);
  return {
    byUrl,
    byClient,
    async close() {
      await byUrl.close();
      await byClient.close();
      client.destroy();
    },
  };
}

/**
 * Crashes the master once every replica has all of its data: on a slow machine, the first copy may still be in
 * progress.
 *
 * @returns the port of the crashed master
 */
export async function crashMaster(setUp: RedisSentinels): Promise<number> {
  const port = setUp.masterPort();
  const master = setUp.servers.find((server) => server.port === port) as RedisServer;
  const replicas = setUp.servers.length - 1;
  await vi.waitFor(() => expect(Number(master.command("wait", String(replicas), "1000"))).toBe(replicas), {
    timeout: 20_000,
    interval: 100,
  });
  await master.crash();
  return port;
}
