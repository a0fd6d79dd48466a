import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { createClient, createClientPool } from "redis";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { createLimiter } from "../../limiter/limiter.ts";
import { type RedisStore, redisStore } from "./index.ts";

const longestTestMs = 60_000;

/** One address that leads to the current master. Existing connections stay where they are. */
async function startAddress() {
  const state = { port: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(state.port, "127.0.0.1");
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connections: () => sockets.size / 2,
    leadTo(to: number) {
      state.port = to;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

let first: RedisServer;
let second: RedisServer;
let address: Awaited<ReturnType<typeof startAddress>>;
beforeAll(async () => {
  [first, second, address] = await Promise.all([startRedis(), startRedis(), startAddress()]);
}, longestTestMs);
afterAll(() => Promise.all([first.remove(), second.remove(), address.close()]), longestTestMs);
beforeEach(() => {
  for (const server of [first, second]) server.command("replicaof", "no", "one");
  address.leadTo(first.port);
});

/** The second server becomes the master: the address leads to it, and connections to the first stay. */
function failOver(): void {
  second.command("replicaof", "no", "one");
  address.leadTo(second.port);
  first.command("replicaof", "127.0.0.1", String(second.port));
}

function limiterOf(store: RedisStore) {
  return createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "1000/hour" }],
    store,
    onError: () => {},
    onOutage: () => {},
  });
}

async function survivesFailover(store: RedisStore): Promise<void> {
  const limiter = limiterOf(store);
  expect((await limiter.admit("alice")).decidedBy).toBe("store");
  failOver();
  expect((await limiter.admit("alice")).decidedBy).toBe("outage-policy");
  await vi.waitFor(async () => expect((await limiter.admit("alice")).decidedBy).toBe("store"), {
    timeout: 15_000,
    interval: 100,
  });
  // It first gets what was admitted without it.
  await vi.waitFor(() => expect(limiter.status().state).toBe("closed"), { timeout: 5_000 });
  await limiter.close();
}

it(
  "a store by URL finds the new master behind its address",
  async () => {
    const store = redisStore(`redis://127.0.0.1:${address.port}`);
    await survivesFailover(store);
    await store.close();
  },
  longestTestMs,
);

it.each([
  ["ioredis", (port: number) => new Redis({ host: "127.0.0.1", port })],
  ["iovalkey", (port: number) => new Valkey({ host: "127.0.0.1", port }) as unknown as Redis],
])(
  "a client of %s is reconnected by its own method",
  async (_, create) => {
    const client = create(address.port);
    client.on("error", () => {});
    await survivesFailover(redisStore(client));
    // The caller's client also leads to the master.
    expect(await client.set("mine", "1")).toBe("OK");
    client.disconnect();
  },
  longestTestMs,
);

it(
  "a client of node-redis is left unchanged: a duplicate of it is connected, and is closed with the store",
  async () => {
    const client = createClient({ socket: { host: "127.0.0.1", port: address.port } });
    client.on("error", () => {});
    await client.connect();
    const store = redisStore(client);
    await survivesFailover(store);
    expect(client.isReady).toBe(true);
    expect(address.connections()).toBe(2);
    await store.close();
    await vi.waitFor(() => expect(address.connections()).toBe(1));
    client.destroy();
  },
  longestTestMs,
);

it(
  "a client without such a method causes a clear error",
  async () => {
    const pool = createClientPool({ socket: { host: "127.0.0.1", port: address.port } });
    pool.on("error", () => {});
    await pool.connect();
    const store = redisStore(pool);
    await store.check();
    failOver();
    await expect(store.check()).rejects.toThrow(
      /READONLY .*This server is a replica: name the master, or let Sentinels or a cluster find it\.$/,
    );
    await store.close();
    pool.destroy();
  },
  longestTestMs,
);

it(
  "a client whose address is always a replica is reconnected at most once a second",
  async () => {
    failOver();
    address.leadTo(first.port);
    const client = new Redis({ host: "127.0.0.1", port: address.port, retryStrategy: () => 1 });
    client.on("error", () => {});
    let closes = 0;
    client.on("close", () => {
      closes += 1;
    });
    const store = redisStore(client);
    const startedAt = performance.now();
    for (let n = 0; n < 50; n += 1) {
      await expect(store.check()).rejects.toThrow();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(closes).toBeGreaterThanOrEqual(1);
    expect(closes).toBeLessThanOrEqual(1 + Math.floor((performance.now() - startedAt) / 1_000));
    client.disconnect();
  },
  longestTestMs,
);
