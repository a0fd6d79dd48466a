import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { startPostgres } from "@headgate/test-servers/postgres.ts";
import { runRace } from "@headgate/test-servers/race.ts";
import { startCluster, startRedis } from "@headgate/test-servers/redis.ts";
import { afterEach, beforeEach, expect, it } from "vitest";

const longestTestMs = 120_000;
const busyMs = 90_000;

/** Processes that keep all processors busy while others race. They end by themselves if nothing ends them. */
const keepBusy = `const end = Date.now() + ${busyMs}; while (Date.now() < end);`;
let busy: ReturnType<typeof spawn>[] = [];
beforeEach(() => {
  busy = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ["-e", keepBusy], { stdio: "ignore" }),
  );
});
afterEach(async () => {
  const ended = busy.map((child) => once(child, "exit"));
  for (const child of busy) child.kill("SIGKILL");
  await Promise.all(ended);
});

const stores = [
  ["Redis", () => startRedis()],
  ["a Redis Cluster", () => startCluster()],
  ["PostgreSQL", () => startPostgres()],
] as const;

it.each(stores)(
  "eight processes that start cold and race over %s, on a busy machine, admit the quota and are decided by the store",
  async (_, start) => {
    const { url, remove } = await start();
    try {
      const layers = [{ name: "user", limits: "5/hour" }];
      const each = await runRace({ url, processes: 8, attemptsEach: 50, layers, key: "alice", cold: true });
      expect(each.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(5);
      expect(each.map(({ byPolicy }) => byPolicy)).toEqual(each.map(() => 0));
    } finally {
      await remove();
    }
  },
  longestTestMs,
);

it.each(stores)(
  "eight processes that overload %s admit the quota and one unit each at most",
  async (_, start) => {
    const { url, remove } = await start();
    try {
      const layers = [{ name: "user", limits: "1000/hour" }];
      const each = await runRace({ url, processes: 8, attemptsEach: 1000, layers, key: "alice", cold: true });
      const admitted = each.reduce((sum, one) => sum + one.admitted - one.admittedByPolicy, 0);
      expect(admitted).toBeLessThanOrEqual(1000);
      expect(Math.max(...each.map(({ admittedByPolicy }) => admittedByPolicy))).toBeLessThanOrEqual(1);
      expect(admitted).toBeGreaterThan(0);
    } finally {
      await remove();
    }
  },
  longestTestMs,
);
