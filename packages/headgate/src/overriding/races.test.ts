import { type PostgresServer, startPostgres } from "@headgate/test-servers/postgres.ts";
import { race } from "@headgate/test-servers/race.ts";
import { startRedis } from "@headgate/test-servers/redis.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLimiter } from "../limiter/limiter.ts";

describe.each([
  ["Redis", startRedis],
  ["PostgreSQL", (): Promise<PostgresServer> => startPostgres()],
] as const)("eight processes on %s", (_name, start) => {
  let server: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server?.remove());

  const layers = [
    { name: "user", limits: "5/hour" },
    { name: "all", limits: "500/hour" },
  ];

  /** Sets an override, like the operator's process. */
  async function decided(key: string, limits: string): Promise<void> {
    const limiter = createLimiter<string>({
      name: "chat",
      layers: layers.map(({ name, limits: of }) => ({ name, limits: of, key: (caller) => caller })),
      store: server.url,
      timeouts: { storeMs: 60_000 },
    });
    await limiter.override(key, { limits, layer: "user" });
    await limiter.close();
  }

  it.each(["37/hour", "11/day fixed-window"])(
    "admit exactly what an override of %s allows, although none of them has read it yet",
    async (limits) => {
      const key = `raced-${limits}`;
      await decided(key, limits);
      const admitted = await race({ url: server.url, processes: 8, attemptsEach: 25, layers, key });
      expect(admitted.reduce((sum, one) => sum + one, 0)).toBe(Number.parseInt(limits, 10));
      // Units that were spent under the first override count under the next one.
      await decided(key, "40/hour");
      const more = await race({ url: server.url, processes: 8, attemptsEach: 25, layers, key });
      expect(more.reduce((sum, one) => sum + one, 0)).toBe(40 - Number.parseInt(limits, 10));
    },
    60_000,
  );
});
