import { Redis } from "ioredis";
import { afterAll, beforeAll } from "vitest";
import { type RedisServer, startRedis } from "./redis.ts";

const startMs = 60_000;

/** A server for the tests of one file. */
export interface RedisFixture {
  readonly server: RedisServer;
  readonly client: Redis;
}

/** Call it once, at the top of a test file. */
export function redisFixture(): RedisFixture {
  let server: RedisServer;
  let client: Redis;

  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
  }, startMs);
  afterAll(async () => {
    client?.disconnect();
    await server?.remove();
  });

  return {
    get server() {
      return server;
    },
    get client() {
      return client;
    },
  };
}
