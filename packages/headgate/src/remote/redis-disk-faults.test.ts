import { mkdirSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { guardedBy } from "@headgate/test-servers/guarded-by.ts";
import {
  canMakeDisks,
  type RedisServer,
  startRedis,
  startRedisOnDisk,
} from "@headgate/test-servers/redis.ts";
import { afterEach, describe, expect, it } from "vitest";
import { redisStore } from "../stores/redis/index.ts";

const longestTestMs = 60_000;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
}, longestTestMs);

async function guard(server: RedisServer) {
  closers.push(() => server.remove());
  const store = redisStore(server.url);
  closers.push(() => store.close());
  const guarded = guardedBy(store);
  closers.push(async () => guarded.limiter.close());
  await guarded.limiter.ready();
  return guarded;
}

/** Fills the disk, and returns a function that frees the space. */
function fill(folder: string): () => void {
  const ballast = path.join(folder, "ballast");
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail - 1) * bsize));
  for (let bytes = bsize; bytes > 0; bytes = Math.floor(bytes / 2)) {
    try {
      writeFileSync(ballast, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // Half as much may fit.
    }
  }
  return () => rmSync(ballast);
}

describe("a Redis server that cannot write to its disk", () => {
  it(
    "because the disk is full: requests are decided locally, and sent to it once it has room",
    async ({ skip }) => {
      skip(!canMakeDisks(), "this user may not mount a small disk: only the next test stands for full disks");
      const server = await startRedisOnDisk(2 ** 21, ["appendonly yes", "appendfsync everysec"]);
      const { admit, admitted, isOpen, isBack, left } = await guard(server);
      expect((await admit("alice", 10)).decidedBy).toBe("store");
      const makeRoom = fill(server.folder);
      // The server notices when it writes, and may have answered a few requests by then.
      await isOpen();
      expect(server.command("set", "one", "more")).toMatch(/^MISCONF .*No space left on device/);
      expect(await admitted("bob", 7, 10)).toBe(5);
      makeRoom();
      await isBack();
      expect(await left("alice")).toEqual([4, 990]);
      expect(await left("bob")).toEqual([0, 950]);
      expect((await admit("bob")).admitted).toBe(false);
    },
    longestTestMs,
  );

  it(
    "because it cannot write its snapshots",
    async () => {
      const server = await startRedis(["save 3600 1"]);
      const { admit, admitted, isOpen, isBack, left, until } = await guard(server);
      expect((await admit("alice", 10)).decidedBy).toBe("store");
      const saved = (how: string) =>
        until(`The last snapshot is ${how}`, () => {
          return server.command("info", "persistence").includes(`rdb_last_bgsave_status:${how}`);
        });
      const inTheWay = path.join(server.folder, "dump.rdb");
      mkdirSync(inTheWay);
      server.command("bgsave");
      await saved("err");
      await isOpen();
      expect(server.command("set", "one", "more")).toMatch(/^MISCONF /);
      expect(await admitted("bob", 7, 10)).toBe(5);
      rmdirSync(inTheWay);
      server.command("bgsave");
      await saved("ok");
      await isBack();
      expect(await left("alice")).toEqual([4, 990]);
      expect(await left("bob")).toEqual([0, 950]);
    },
    longestTestMs,
  );
});
