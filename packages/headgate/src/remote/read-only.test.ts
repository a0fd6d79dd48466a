import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";

const longestTestMs = 60_000;

function limiterOf(store: string) {
  return createLimiter<string>({
    name: "test",
    layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
    store,
    onError: () => {},
    onOutage: () => {},
    timeouts: { connectMs: 500 },
  });
}

/** The reason why it was not ready. */
async function reasonOf(store: string): Promise<string> {
  const limiter = limiterOf(store);
  const ready = limiter.ready({ timeoutMs: 1_500 });
  const reason = await ready.then(
    () => "It was ready.",
    (error: Error) => error.message,
  );
  await limiter.close();
  return reason;
}

const onlyReaders =
  'The store "postgres" was not ready within 1500 ms: PostgreSQL is read-only: this server is a replica, ' +
  "or default_transaction_read_only is on. Connect to the primary, and turn that setting off for this user and database.";

it(
  "is not ready with a read-only PostgreSQL, with or without its tables",
  async () => {
    const server = await startPostgres(["default_transaction_read_only=on"]);
    try {
      expect(await reasonOf(server.url)).toBe(onlyReaders);
      const writing = limiterOf(`${server.url}?options=-c%20default_transaction_read_only%3Doff`);
      await writing.ready();
      await writing.close();
      expect(await reasonOf(server.url)).toBe(onlyReaders);
    } finally {
      await server.remove();
    }
  },
  longestTestMs,
);

it(
  "is not ready with a replica of Redis, and does not use it until it is a master",
  async () => {
    const server = await startRedis();
    const limiter = limiterOf(server.url);
    try {
      await limiter.ready();
      server.command("replicaof", "127.0.0.1", "1");
      expect(await reasonOf(server.url)).toMatch(
        /^The store "redis" was not ready within 1500 ms: The Redis store could not be asked: READONLY .* This server is a replica: name the master, or let Sentinels or a cluster find it\.$/,
      );
      for (let n = 0; n < 5; n += 1) await limiter.admit("alice");
      expect(limiter.status().state).toBe("open");
      // A replica answers a peek: that alone must not end the outage.
      await expect(limiter.ready({ timeoutMs: 3_000 })).rejects.toThrow("READONLY");
      expect(limiter.status().state).not.toBe("closed");
      server.command("replicaof", "no", "one");
      await limiter.ready();
      expect((await limiter.admit("bob")).decidedBy).toBe("store");
    } finally {
      await limiter.close();
      await server.remove();
    }
  },
  longestTestMs,
);

it(
  "does not make the first decisions wait for a Redis that is full",
  async () => {
    const server = await startRedis(["maxmemory 1", "maxmemory-policy noeviction"]);
    const limiter = createLimiter<string>({
      name: "test",
      layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
      store: server.url,
      onError: () => {},
      onOutage: () => {},
      timeouts: { connectMs: 40_000 },
    });
    try {
      const startedAt = performance.now();
      expect((await limiter.admit("alice")).decidedBy).toBe("outage-policy");
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      expect(limiter.status().reason).toContain("OOM");
    } finally {
      await limiter.close();
      await server.remove();
    }
  },
  longestTestMs,
);
