import { memoryStore } from "headgate";
import { fakeClock, storeSuite } from "headgate/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningWorker, startWorker } from "./engines/workerd.ts";

const binding = { durableObjects: { LIMITER: { className: "LimiterObject", useSQLite: true } } };

describe("headgate/durable-object, in workerd", () => {
  let worker: RunningWorker;
  beforeAll(async () => {
    worker = await startWorker("programs/durable-object.ts", binding);
  });
  afterAll(() => worker?.close());

  it("admits exactly the quota, of simultaneous and of consecutive requests", async () => {
    const ask = async (user: string) => (await fetch(`${worker.origin}/chat?user=${user}`)).status;
    const together = await Promise.all(Array.from({ length: 30 }, () => ask("ada")));
    const admitted = together.filter((status) => status === 200).length;
    expect([admitted > 0, admitted <= 5]).toEqual([true, true]);
    const alone: number[] = [];
    for (let n = 0; n < 7; n += 1) alone.push(await ask("bea"));
    expect(alone).toEqual([200, 200, 200, 200, 200, 429, 429]);
  });

  it("examples/durable-object answers five requests and refuses the sixth", async () => {
    const example = await startWorker("../examples/durable-object/index.ts", binding);
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

  describe("storeSuite", () => {
    const names = storeSuite({
      create: () => ({ store: memoryStore(), clock: fakeClock(), close: () => {} }),
      scripts: 5,
      // This test rewrites a text of thousands of reservations thousands of times, which takes minutes.
    }).filter(({ name }) => !name.startsWith("a partition holds for 4,096 reservations"));
    it.each(names.map(({ name }) => name))("%s", async (name) => {
      const run = () => fetch(`${worker.origin}/?test=${encodeURIComponent(name)}`);
      // Retry if the server closes a connection just as it is reused. Tests are independent of each other.
      const answer = await run().catch(run);
      expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 204, text: "" });
    });
  });
});
