import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../packages/test-servers/redis.ts";
import { type RedisOverHttp, startRedisOverHttp } from "./engines/redis-over-http.ts";
import { type RunningWorker, startWorker } from "./engines/workerd.ts";

const token = "a token";

describe("a Worker that shares Redis over HTTP", () => {
  let server: RedisServer;
  let front: RedisOverHttp;
  let worker: RunningWorker;
  beforeAll(async () => {
    server = await startRedis();
    front = await startRedisOverHttp(server.url, token);
    worker = await startWorker("programs/redis.ts", {
      bindings: { REDIS_URL: front.url, REDIS_TOKEN: token },
    });
  });
  afterAll(async () => {
    await worker?.close();
    await front?.close();
    await server?.remove();
  });

  const ask = async (user: string, signal?: AbortSignal) => {
    const answer = await fetch(`${worker.origin}/?user=${user}`, signal === undefined ? {} : { signal });
    await answer.text();
    return answer.status;
  };
  const errors = async () => (await fetch(`${worker.origin}/errors`)).json();

  it("answers consecutive requests without sharing connections between them", async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 22; n += 1) statuses.push(await ask("ada"));
    expect(statuses).toEqual([...Array(20).fill(200), 429, 429]);
    expect(await errors()).toEqual([]);
  });

  it("admits exactly the quota of simultaneous requests", async () => {
    for (let round = 0; round < 5; round += 1) {
      const statuses = await Promise.all(Array.from({ length: 40 }, () => ask(`bea ${round}`)));
      expect(statuses.filter((status) => status === 200).length).toBe(20);
      expect(statuses.filter((status) => status === 429).length).toBe(20);
    }
    expect(await errors()).toEqual([]);
  });

  it("answers requests that arrive together with clients that disconnect", async () => {
    for (let round = 0; round < 5; round += 1) {
      const leaving = Array.from({ length: 10 }, () =>
        ask(`cleo ${round}`, AbortSignal.timeout(2)).catch(() => 0),
      );
      const staying = Array.from({ length: 10 }, () => ask(`cleo ${round}`));
      expect(await Promise.all(staying)).toEqual(Array(10).fill(200));
      await Promise.all(leaving);
    }
  });

  it("decides by the outage policies while the store does not answer, and by the store soon after", async () => {
    front.freeze();
    const during = await Promise.all(Array.from({ length: 12 }, () => ask("dan")));
    expect(during).toEqual(Array(12).fill(503));
    expect(await errors()).not.toEqual([]);
    front.thaw();
    let after = 503;
    for (let n = 0; n < 100 && after === 503; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      after = await ask("dan");
    }
    expect(after).toBe(200);
  });

  it("examples/workers answers five requests and refuses the sixth", async () => {
    const example = await startWorker("../examples/workers/index.ts", {
      bindings: { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: token },
    });
    try {
      const statuses: number[] = [];
      for (let n = 0; n < 6; n += 1) {
        const headers = { "CF-Connecting-IP": "203.0.113.7" };
        statuses.push((await fetch(example.origin, { headers })).status);
      }
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    } finally {
      await example.close();
    }
  });
});
