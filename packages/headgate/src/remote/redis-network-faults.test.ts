import { expectOneCharge, type Guarded, guardedBy } from "@headgate/test-servers/guarded-by.ts";
import { type BreakableNetwork, startNetwork } from "@headgate/test-servers/network.ts";
import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { Redis as Iovalkey } from "iovalkey";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";
import { type RedisStore, redisStore } from "../stores/redis/index.ts";

const longestTestMs = 60_000;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
}, longestTestMs);
afterAll(() => server.remove(), longestTestMs);

interface Opened {
  readonly store: RedisStore;
  close(): unknown;
}

const clients: [string, (port: number) => Promise<Opened>][] = [
  [
    "a URL",
    async (port) => {
      const store = redisStore(`redis://127.0.0.1:${port}`);
      return { store, close: store.close };
    },
  ],
  [
    "a client of node-redis",
    async (port) => {
      const client = createClient({ url: `redis://127.0.0.1:${port}` });
      client.on("error", () => {});
      await client.connect();
      return { store: redisStore(client), close: () => client.destroy() };
    },
  ],
  [
    "a client of iovalkey, as docs/redis.md wants it",
    async (port) => {
      const client = new Iovalkey(port, "127.0.0.1", {
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
      });
      client.on("error", () => {});
      return { store: redisStore(client), close: () => client.disconnect() };
    },
  ],
];

describe.each(clients)("a network that breaks while a script runs, over %s", (_client, open) => {
  let network: BreakableNetwork;
  let opened: Opened;
  let guarded: Guarded;

  beforeEach(async () => {
    server.command("flushall");
    network = await startNetwork(server.port);
    opened = await open(network.port);
    guarded = guardedBy(opened.store);
    await guarded.limiter.ready();
  });
  afterEach(async () => {
    network.mode = "open";
    await guarded.limiter.close();
    await opened.close();
    await network.close();
  });

  it(
    "a charge whose answer is lost is decided locally, and counts once",
    async () => {
      const { admit, admitted, isBack, left, limiter } = guarded;
      network.mode = "cut";
      expect(await admit("alice", 10)).toMatchObject({ admitted: true, decidedBy: "outage-policy" });
      expect(network.cuts).toBe(1);
      expect(await admitted("alice", 2, 10)).toBe(2);
      network.mode = "open";
      await isBack();
      // Three were admitted. The store had charged the first one before the connection broke.
      expect(await left("alice")).toEqual([2, 970]);
      expect(await admitted("alice", 3, 10)).toBe(2);
      expect(limiter.status().counters).toMatchObject({ dropped: 0 });
    },
    longestTestMs,
  );

  it.each(["cut", "swallow"] as const)(
    "a request with an id is charged once and answered once if its answer is lost: %s",
    async (mode) => {
      const direct = redisStore(`redis://127.0.0.1:${server.port}`);
      await expectOneCharge(guarded, network, direct, mode);
      await direct.close();
    },
    longestTestMs,
  );

  it(
    "nothing is refunded twice",
    async () => {
      const { admit, isBack, left, limiter } = guarded;
      const admission = (await admit("alice", 100)) as Admitted;
      network.mode = "cut";
      await admission.end({ tokens: 30 });
      expect(network.cuts).toBe(1);
      network.mode = "open";
      await isBack();
      expect(await left("alice")).toEqual([4, 970]);
      expect(limiter.status().counters?.inDoubt).toBe(1);
    },
    longestTestMs,
  );

  it(
    "no request waits for an answer that never comes, and nothing is settled twice when the connection ends",
    async () => {
      const { admit, admitted, isBack, isOpen, left, limiter } = guarded;
      const admission = (await admit("alice", 100)) as Admitted;
      network.mode = "swallow";
      const answers = await Promise.all(Array.from({ length: 7 }, () => admit("bob", 10)));
      expect(answers.filter((answer) => answer.admitted)).toHaveLength(5);
      await admission.end({ tokens: 30 });
      await isOpen();
      expect(limiter.status().counters?.timeouts).toBeGreaterThanOrEqual(5);
      network.mode = "open";
      network.drop();
      await isBack();
      expect(await left("alice")).toEqual([4, 970]);
      // The script had run. Requests admitted here are charged once, and requests refused here are refunded.
      expect(await left("bob")).toEqual([0, 950]);
      expect(await admitted("bob", 2)).toBe(0);
    },
    longestTestMs,
  );
});
