import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { type RedisServer, startCluster, startRedis, startSentinels } from "@headgate/test-servers/redis.ts";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type LoadingStore, load } from "../core/loading.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { openStore } from "./open.ts";

const longestTestMs = 60_000;
let redis: RedisServer;
let postgres: PostgresServer;
beforeAll(async () => {
  redis = await startRedis();
  postgres = await startPostgres();
}, longestTestMs);
afterAll(() => Promise.all([redis.remove(), postgres.remove()]), longestTestMs);

const program = fileURLToPath(new URL("../../../test-servers/admits-once.ts", import.meta.url));

/** Starts a process that decides one request and must end by itself. Returns who decided. */
async function admitOnce(uri: string): Promise<string> {
  const child = spawn(process.execPath, ["--conditions=headgate-source", program, uri], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 20_000,
  });
  const [said] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (child.signalCode !== null)
    throw new Error(`The process did not end by itself; its output is "${said}".`);
  return said;
}

describe("a process whose limiter opened a store by URL ends by itself", () => {
  it("over Redis", async () => expect(await admitOnce(redis.url)).toBe("store"), longestTestMs);
  it("over PostgreSQL", async () => expect(await admitOnce(postgres.url)).toBe("store"), longestTestMs);
  it(
    "after its decision, even if no server answers",
    async () => expect(await admitOnce("redis://127.0.0.1:1")).toBe("outage-policy"),
    longestTestMs,
  );
  it(
    "over a cluster",
    async () => {
      const cluster = await startCluster();
      try {
        expect(await admitOnce(cluster.url)).toBe("store");
      } finally {
        await cluster.remove();
      }
    },
    longestTestMs,
  );
  it(
    "over Sentinels",
    async () => {
      const { sentinels, master, remove } = await startSentinels();
      try {
        const hosts = sentinels.map(({ host, port }) => `${host}:${port}`);
        expect(await admitOnce(`redis://${hosts.join()}?sentinel=${master}`)).toBe("store");
      } finally {
        await remove();
      }
    },
    longestTestMs,
  );
});

function limiterOf(name: string, store: string) {
  return createLimiter<string>({
    name,
    layers: [{ name: "user", key: (user) => user, limits: "5/minute" }],
    store,
  });
}

it.each(["redis://127.0.0.1:1", "valkey://127.0.0.1:1", "postgres://127.0.0.1:1/none", "pglite://memory"])(
  "the code of the store for %s can be loaded without a connection",
  async (uri) => {
    const store: LoadingStore = openStore(uri);
    await store[load]?.();
    expect(store[load]).toBeTypeOf("function");
    await store.close?.();
  },
);

describe("limiters of one process share a connection by URL", () => {
  /** Counts all connections except that of redis-cli. */
  const redisConnections = () => redis.command("client", "list").trim().split("\n").length - 1;

  it("of Redis, until the last of them is closed", async () => {
    const before = redisConnections();
    const limiters = ["a", "b", "c"].map((name) => limiterOf(name, redis.url));
    const admissions = await Promise.all(limiters.map((limiter) => limiter.admit("alice")));
    expect(admissions.map(({ limits }) => limits[0]?.remaining)).toEqual([4, 4, 4]);
    expect(redisConnections()).toBe(before + 1);
    await limiters[0]?.close();
    await limiters[0]?.close();
    await limiters[1]?.close();
    expect((await limiters[2]?.admit("alice"))?.decidedBy).toBe("store");
    await limiters[2]?.close();
    expect(redisConnections()).toBe(before);
    const later = limiterOf("a", redis.url);
    expect((await later.admit("alice")).limits[0]?.remaining).toBe(3);
    await later.close();
  });

  it("but not if the URLs differ", async () => {
    const before = redisConnections();
    const limiters = [limiterOf("d", redis.url), limiterOf("d", `${redis.url}?prefix=other:`)];
    const admissions = await Promise.all(limiters.map((limiter) => limiter.admit("alice")));
    expect(admissions.map(({ limits }) => limits[0]?.remaining)).toEqual([4, 4]);
    expect(redisConnections()).toBe(before + 2);
    await Promise.all(limiters.map((limiter) => limiter.close()));
  });

  it(
    "of PostgreSQL: six limiters open at most four connections",
    async () => {
      const client = new pg.Client(postgres.url);
      await client.connect();
      const connections = async () => {
        const counted = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'headgate'";
        return (await client.query(counted)).rows[0].n as number;
      };
      const limiters = Array.from({ length: 6 }, (_, n) => limiterOf(`limiter${n}`, postgres.url));
      await Promise.all(limiters.map((limiter) => limiter.ready()));
      await Promise.all(limiters.map((limiter) => limiter.admit("alice")));
      expect(await connections()).toBeLessThanOrEqual(4);
      await Promise.all(limiters.map((limiter) => limiter.close()));
      // The server ends each session a moment later.
      await vi.waitFor(async () => expect(await connections()).toBe(0));
      await client.end();
    },
    longestTestMs,
  );

  it("of a PGlite folder, which must not be open twice", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "headgate-pglite-"));
    try {
      const limiters = ["a", "b"].map((name) => limiterOf(name, `pglite://${folder}`));
      await Promise.all(limiters.map((limiter) => limiter.ready({ timeoutMs: 100_000 })));
      const admissions = await Promise.all(limiters.map((limiter) => limiter.admit("alice")));
      expect(admissions.map(({ decidedBy }) => decidedBy)).toEqual(["store", "store"]);
      await Promise.all(limiters.map((limiter) => limiter.close()));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
