import { connect, createServer, type Socket } from "node:net";
import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge } from "../../core/store.ts";
import { type RedisStore, redisStore } from "./index.ts";

const longestTestMs = 30_000;
const limits = compileLimits("user", "1000/minute");
const charge: Charge = { space: "user", key: "one", limits, ...amountsOf(limits, undefined) };

async function fault(asked: unknown): Promise<string> {
  try {
    await asked;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("It was answered.");
}

async function untilAnswered(store: RedisStore): Promise<void> {
  await vi.waitFor(() => store.check(), { timeout: 10_000, interval: 50 });
}

describe("a store with its own connection", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(["requirepass hunter2"]);
  }, longestTestMs);
  afterAll(() => server.remove());

  const url = () => `redis://:hunter2@127.0.0.1:${server.port}`;

  it("connects at its first call, not when it is created", async () => {
    const connections = () =>
      Number(/total_connections_received:(\d+)/.exec(server.command("-a", "hunter2", "info", "stats"))?.[1]);
    const before = connections();
    const store = redisStore(url());
    // The connections of redis-cli itself.
    expect(connections()).toBe(before + 1);
    expect((await store.decide([charge], 0, false)).admitted).toBe(true);
    expect(connections()).toBe(before + 3);
    await store.close();
  });

  it("rejects with the reason if there is no server, and at once from the second call on", async () => {
    const store = redisStore("redis://:hunter2@127.0.0.1:1");
    expect(await fault(store.decide([charge], 0, false))).toMatch(
      /^The Redis store is not connected: connect ECONNREFUSED 127\.0\.0\.1:1\.$/,
    );
    const start = performance.now();
    expect(await fault(store.decide([charge], 0, false))).toContain("ECONNREFUSED");
    expect(performance.now() - start).toBeLessThan(1_000);
    await store.close();
  });

  it("rejects with the reason if the password is wrong, without showing the password", async () => {
    const store = redisStore(`redis://:wrong-secret@127.0.0.1:${server.port}`);
    const message = await fault(store.decide([charge], 0, false));
    expect(message).toContain("WRONGPASS");
    expect(message).not.toContain("secret");
    await store.close();
  });

  it(
    "rejects promptly while the server is away, and answers again once it is back",
    async () => {
      const store = redisStore(url());
      await store.decide([charge], 0, false);
      await server.crash();
      await fault(store.decide([charge], 0, false));
      expect(await fault(store.decide([charge], 0, false))).toMatch(
        /^The Redis store (is not connected|could not be asked)/,
      );
      expect(await fault(store.check())).toMatch(/^The Redis store/);
      await server.start();
      await untilAnswered(store);
      expect((await store.decide([charge], 0, false)).admitted).toBe(true);
      await store.close();
    },
    longestTestMs,
  );

  it(
    "rejects calls whose connection breaks before the answer",
    async () => {
      const proxy = await startCuttingProxy(server.port);
      const store = redisStore(`redis://:hunter2@127.0.0.1:${proxy.port}`);
      await store.check();
      proxy.cutAnswers();
      expect(await fault(store.decide([charge], 0, false))).toMatch(/^The Redis store could not be asked: /);
      proxy.passAnswers();
      await untilAnswered(store);
      await store.close();
      await proxy.close();
    },
    longestTestMs,
  );

  it("rejects calls after it was closed", async () => {
    const store = redisStore(url());
    await store.check();
    await store.close();
    expect(await fault(store.decide([charge], 0, false))).toBe("This store has been closed.");
    await store.close();
  });
});

describe("a store over the caller's client", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  }, longestTestMs);
  afterAll(() => server.remove());

  it("leaves it open when it is closed", async () => {
    const client = new Redis(server.url);
    const store = redisStore(client);
    await store.check();
    await store.close();
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
  });

  it(
    "waits for the client's first connection, but not for later ones",
    async () => {
      const ioredis = new Redis(server.url, { retryStrategy: () => 10 });
      const nodeRedis = createClient({ url: server.url, socket: { reconnectStrategy: 10 } });
      ioredis.on("error", () => {});
      nodeRedis.on("error", () => {});
      void nodeRedis.connect();
      const stores = [redisStore(ioredis), redisStore(nodeRedis)];
      for (const store of stores) expect((await store.decide([charge], 0, false)).admitted).toBe(true);

      await server.crash();
      await vi.waitFor(() => expect([ioredis.status, nodeRedis.isReady]).not.toContain("ready"));
      await vi.waitFor(() => expect(nodeRedis.isReady).toBe(false));
      for (const store of stores) {
        expect(await fault(store.decide([charge], 0, false))).toBe(
          "The Redis store's client is not connected.",
        );
      }
      await server.start();
      for (const store of stores) await untilAnswered(store);
      ioredis.disconnect();
      nodeRedis.destroy();
    },
    longestTestMs,
  );

  it.each([
    [undefined, "it got undefined"],
    [null, "it got null"],
    [6379, "it got 6379"],
    [{ get: () => {} }, "it got an object that is none of these"],
    [new Map(), "it got an object of class Map"],
  ])("refuses %s", (client, message) => {
    expect(() => redisStore(client as never)).toThrow(expect.objectContaining({ code: "store-invalid" }));
    expect(() => redisStore(client as never)).toThrow(message);
  });

  it("refuses a prefix that is not a string", () => {
    expect(() => redisStore("redis://localhost", { prefix: 1 as never })).toThrow(
      "prefix must be text, got 1.",
    );
  });
});

/** Passes bytes both ways. When the test says so, it breaks the connection instead of passing an answer on. */
async function startCuttingProxy(port: number) {
  let cutting = false;
  const sockets = new Set<Socket>();
  const server = createServer((caller) => {
    const target = connect(port, "127.0.0.1");
    sockets.add(caller).add(target);
    caller.on("error", () => {}).on("close", () => target.destroy());
    target.on("error", () => {}).on("close", () => caller.destroy());
    caller.pipe(target);
    target.on("data", (answer) => {
      if (cutting) caller.destroy();
      else caller.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    cutAnswers: () => {
      cutting = true;
    },
    passAnswers: () => {
      cutting = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
