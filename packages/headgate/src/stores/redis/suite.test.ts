import {
  type RedisCluster,
  type RedisServer,
  startCluster,
  startRedis,
} from "@headgate/test-servers/redis.ts";
import { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { Redis } from "ioredis";
import { Redis as Valkey, Cluster as ValkeyCluster } from "iovalkey";
import { createClient, createCluster } from "redis";
import { afterAll, beforeAll, describe, it } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";
import { storeSuite } from "../../testing/store-suite/index.ts";
import type { RedisClient } from "./commands.ts";
import { redisStore } from "./index.ts";

const longestTestMs = 120_000;
/** GLIDE gives up after 250 ms otherwise, which a call for thousands of reservations may take. */
const requestTimeout = 10_000;
const clock = fakeClock();

interface Opened {
  readonly where: string | RedisClient;
  close(): unknown;
}

/** Runs the whole suite on one store. Every test uses its own partitions. */
function runSuite(open: () => Promise<Opened>, scripts: number) {
  let opened: Opened;
  let store: ReturnType<typeof redisStore>;
  beforeAll(async () => {
    opened = await open();
    store = redisStore(opened.where, { clock });
  }, longestTestMs);
  afterAll(async () => {
    await store?.close();
    await opened?.close();
  });

  const suite = storeSuite({ create: () => ({ store, clock, close: () => {} }), scripts });
  it.each(suite.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run(), longestTestMs);
}

describe("storeSuite, on one Redis server", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  }, longestTestMs);
  afterAll(() => server.remove());

  describe("over a URL", () => {
    runSuite(async () => ({ where: server.url, close: () => {} }), 40);
  });

  describe("over ioredis", () => {
    runSuite(async () => {
      const client = new Redis(server.url, { stringNumbers: true });
      return { where: client, close: () => client.disconnect() };
    }, 5);
  });

  describe("over iovalkey", () => {
    runSuite(async () => {
      const client = new Valkey(server.url);
      return { where: client, close: () => client.disconnect() };
    }, 5);
  });

  describe("over node-redis", () => {
    runSuite(async () => {
      const client = await createClient({ url: server.url }).connect();
      return { where: client, close: () => client.close() };
    }, 5);
  });

  describe("over valkey-glide", () => {
    runSuite(async () => {
      const addresses = [{ host: "127.0.0.1", port: server.port }];
      const client = await GlideClient.createClient({ addresses, requestTimeout });
      return { where: client, close: () => client.close() };
    }, 5);
  });
});

describe("storeSuite, on a cluster of six nodes", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster();
  }, longestTestMs);
  afterAll(() => cluster.remove());

  describe("over a URL", () => {
    runSuite(async () => ({ where: cluster.url, close: () => {} }), 20);
  });

  describe("over iovalkey", () => {
    runSuite(async () => {
      const client = new ValkeyCluster(cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })));
      return { where: client, close: () => client.disconnect() };
    }, 3);
  });

  describe("over node-redis", () => {
    runSuite(async () => {
      const client = createCluster({ rootNodes: cluster.nodes.map(({ url }) => ({ url })) });
      await client.connect();
      return { where: client, close: () => client.close() };
    }, 3);
  });

  describe("over valkey-glide", () => {
    runSuite(async () => {
      const addresses = cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
      const client = await GlideClusterClient.createClient({ addresses, requestTimeout });
      return { where: client, close: () => client.close() };
    }, 3);
  });
});
