import { crashMaster, openBehindSentinels } from "@headgate/test-servers/behind-sentinels.ts";
import { type RedisSentinels, startSentinels } from "@headgate/test-servers/redis.ts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { amountsOf } from "../../core/cost.ts";
import { compileLimits } from "../../core/limit-set.ts";
import type { Charge, Outcome } from "../../core/store.ts";

const longestTestMs = 60_000;
const limits = compileLimits("user", "50/hour");
const charge: Charge = { space: "user", key: "one", limits, ...amountsOf(limits, undefined) };

let setUp: RedisSentinels;
beforeAll(async () => {
  setUp = await startSentinels();
}, longestTestMs);
afterAll(() => setUp?.remove());

describe("with Sentinels", () => {
  it(
    "follows the master through a failover, and keeps replicated counts",
    async () => {
      const behind = await openBehindSentinels(setUp);
      const stores = [behind.byUrl, behind.byClient];
      for (const store of stores) expect((await store.decide([charge], 0, false)).admitted).toBe(true);

      const port = await crashMaster(setUp);
      await expect(stores[0]?.decide([charge], 0, false)).rejects.toThrow("The Redis store");

      for (const store of stores) {
        await vi.waitFor(() => store.check(), { timeout: 20_000, interval: 100 });
      }
      expect(setUp.masterPort()).not.toBe(port);
      for (const store of stores) {
        // The new master had never seen the script.
        const outcome = (await store.decide([charge], 0, true)) as Outcome;
        expect(outcome.readings[0]?.[0]?.remaining).toBe(48);
      }
      await behind.close();
    },
    longestTestMs,
  );
});
