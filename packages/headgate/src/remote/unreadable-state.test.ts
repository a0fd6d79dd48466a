import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HeadgateError } from "../core/errors.ts";
import { createLimiter } from "../limiter/limiter.ts";

/** A server that the test may write invalid values to. */
interface Spoilable {
  readonly url: string;
  /** Makes all current holds unreadable. */
  spoil(): Promise<unknown>;
  stop(): Promise<unknown>;
}

async function redis(): Promise<Spoilable> {
  const server: RedisServer = await startRedis();
  const client = new Redis(server.url);
  return {
    url: server.url,
    async spoil() {
      for (const key of await client.keys("*mallory*")) await client.set(key, "nonsense");
    },
    async stop() {
      client.disconnect();
      await server.remove();
    },
  };
}

async function postgres(): Promise<Spoilable> {
  const server: PostgresServer = await startPostgres();
  const pool = new Pool({ connectionString: server.url });
  // The server may close a connection just as the pool closes it.
  pool.on("error", () => {});
  return {
    url: server.url,
    spoil: () => pool.query("UPDATE headgate.partitions SET state = '{9,9}'"),
    async stop() {
      await pool.end();
      await server.remove();
    },
  };
}

describe.each([
  ["Redis", redis],
  ["PostgreSQL", postgres],
] as const)("a caller whose state in %s cannot be read", (_name, start) => {
  let server: Spoilable;
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server?.stop());

  it("is decided by the outage policy and reported once, and other callers still use the store", async () => {
    const errors: unknown[] = [];
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [
        {
          name: "user",
          key: (user) => user,
          limits: "3/hour",
          outage: { policy: "local", instances: 1 },
        },
      ],
      store: server.url,
      onError: (error) => errors.push(error),
    });
    await limiter.admit("mallory");
    await server.spoil();

    const mallory = [];
    for (let n = 0; n < 20; n += 1) mallory.push(await limiter.admit("mallory"));
    expect(mallory.map(({ decidedBy }) => decidedBy)).toEqual(mallory.map(() => "outage-policy"));
    expect(mallory.filter(({ admitted }) => admitted)).toHaveLength(3);
    expect(await limiter.admit("alice")).toMatchObject({ admitted: true, decidedBy: "store" });
    expect(limiter.status()).toMatchObject({ state: "closed" });

    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(HeadgateError);
    expect((errors[0] as HeadgateError).code).toBe("store-state-invalid");
    expect((errors[0] as HeadgateError).message).toContain('"chat/user"');
    expect((errors[0] as HeadgateError).message).not.toContain("mallory");

    await limiter.reset("mallory");
    expect(await limiter.admit("mallory")).toMatchObject({ admitted: true, decidedBy: "store" });
    await limiter.close();
  });
});
