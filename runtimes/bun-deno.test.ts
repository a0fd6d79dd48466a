import { memoryStore } from "headgate";
import { adapterSuite, fakeClock, storeSuite } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../packages/test-servers/postgres.ts";
import { type RedisServer, startRedis } from "../packages/test-servers/redis.ts";
import { type RunningEngine, startEngine } from "./engines/process.ts";

let redis: RedisServer;
let postgres: PostgresServer;
beforeAll(async () => {
  redis = await startRedis();
  postgres = await startPostgres();
});
afterAll(async () => {
  await redis?.remove();
  await postgres?.remove();
});

const adapterTests = adapterSuite({ serve: () => Promise.reject(new Error("It is served in the engine.")) });
const storeTests = storeSuite({
  create: () => ({ store: memoryStore(), clock: fakeClock(), close: () => {} }),
  scripts: 3,
});

describe.each(["bun", "deno"] as const)("in %s", (name) => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startEngine(name, "programs/serve.ts", [redis.url, postgres.url]);
  });
  afterAll(() => engine?.close());

  async function pass(query: Record<string, string>) {
    const answer = await fetch(`${engine.origin}/?${new URLSearchParams(query)}`);
    expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 204, text: "" });
  }

  it.each(["memory", "redis", "postgres"])("admits three and refuses the fourth, over %s", async (store) => {
    const answer = await fetch(`${engine.origin}/decide?store=${store}&user=${name}`);
    const [first, second, third, fourth] = (await answer.json()) as unknown[];
    expect([first, second, third]).toEqual(Array(3).fill([true, "store"]));
    expect(fourth).toEqual([false, "store"]);
  });

  it.each(adapterTests.map((test) => test.name))("adapterSuite, on headgate/fetch: %s", (test) =>
    pass({ test }),
  );

  describe.each(["redis", "postgres"])("storeSuite, on %s", (store) => {
    it.each(storeTests.map((test) => test.name))("%s", (test) => pass({ store, test }));
  });
});
