import { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import type { Store } from "../headgate/src/core/store.ts";
import { memoryStore } from "../headgate/src/stores/memory/index.ts";
import { redisStore } from "../headgate/src/stores/redis/index.ts";
import type { FakeClock } from "../headgate/src/testing/fake-clock.ts";
import { postgresFixture } from "./postgres-fixture.ts";
import { type RedisServer, startRedis } from "./redis.ts";

/**
 * A store of each kind, for tests of what all stores must do. Starts their servers. Call it once, at the top of a file.
 */
export function eachStore(): Record<"memory" | "redis" | "postgres", (clock: FakeClock) => Store> {
  const postgres = postgresFixture();
  let server: RedisServer;
  let client: Redis;

  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
  });
  afterAll(async () => {
    client.disconnect();
    await server.remove();
  });

  return {
    memory: () => memoryStore(),
    redis: (clock) => redisStore(client, { clock }),
    postgres: (clock) => postgres.open(postgres.pool, { clock }),
  };
}
