import { crashMaster, openBehindSentinels } from "@headgate/test-servers/behind-sentinels.ts";
import { type Guarded, guardedBy } from "@headgate/test-servers/guarded-by.ts";
import { type RedisSentinels, startSentinels } from "@headgate/test-servers/redis.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Admitted } from "../core/admission.ts";

const longestTestMs = 60_000;

let setUp: RedisSentinels;
beforeAll(async () => {
  setUp = await startSentinels();
}, longestTestMs);
afterAll(() => setUp?.remove(), longestTestMs);

describe("a master that its Sentinels replace", () => {
  it(
    "requests are decided locally until the new master answers, and are then sent to it",
    async () => {
      const stores = await openBehindSentinels(setUp);
      const byUrl = guardedBy(stores.byUrl);
      const byClient = guardedBy(stores.byClient);
      const both: [string, Guarded][] = [
        ["alice", byUrl],
        ["bob", byClient],
      ];
      for (const [, { limiter }] of both) await limiter.ready();
      const handles = new Map<string, Admitted>();
      for (const [user, { admit }] of both) handles.set(user, (await admit(user, 100)) as Admitted);

      const port = await crashMaster(setUp);

      // One unit was spent, so four are left of the quota. This process's own count starts again.
      for (const [user, guarded] of both) {
        await guarded.isOpen();
        expect(await guarded.admitted(user, 7, 10)).toBe(5);
        await handles.get(user)?.end({ tokens: 30 });
      }
      for (const [user, guarded] of both) {
        await guarded.isBack();
        await guarded.until("What was settled is settled", async () => (await guarded.left(user))[1] === 920);
        expect(await guarded.left(user)).toEqual([0, 920]);
        expect((await guarded.admit(user)).admitted).toBe(false);
      }
      expect(setUp.masterPort()).not.toBe(port);

      for (const [, { limiter }] of both) await limiter.close();
      await stores.close();
    },
    longestTestMs,
  );
});
