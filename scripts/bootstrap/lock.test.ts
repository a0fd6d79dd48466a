import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withLock } from "./lock.mjs";

let folder: string;
let lock: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "headgate-lock-"));
  lock = path.join(folder, "lock");
});
afterEach(() => rmSync(folder, { recursive: true }));

const unexpectedWait = (processId: number) => {
  throw new Error(`waited for ${processId}`);
};

it("lets one caller work at a time, and reports the owner's process id to waiting callers", async () => {
  const order: string[] = [];
  const { promise: isAwaited, resolve: sayAwaited } = Promise.withResolvers<number>();
  const first = withLock(
    lock,
    async () => {
      expect(await isAwaited).toBe(process.pid);
      order.push("first");
    },
    unexpectedWait,
  );
  const second = withLock(lock, async () => void order.push("second"), sayAwaited);
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
});

it("releases the lock after a failure", async () => {
  const failing = withLock(lock, () => Promise.reject(new Error("no network")), unexpectedWait);
  await expect(failing).rejects.toThrow("no network");
  expect(await withLock(lock, async () => "done", unexpectedWait)).toBe("done");
  expect(existsSync(lock)).toBe(false);
});

it("takes over the lock of a dead process", async () => {
  const { pid } = spawnSync(process.execPath, ["--eval", ""]);
  symlinkSync(String(pid), lock);
  expect(await withLock(lock, async () => "done", unexpectedWait)).toBe("done");
});
