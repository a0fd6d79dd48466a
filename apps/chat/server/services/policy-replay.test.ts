import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLimiter } from "headgate";
import { decisionLog, logFiles } from "headgate/log";
import { fakeClock } from "headgate/testing";
import { OperatorMistake } from "headgate-console";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPolicyReplay, type PolicyReplayOptions } from "./policy-replay.ts";

const policy = { layers: [{ name: "user", limits: "1/minute" }] };
const clock = fakeClock(Date.UTC(2026, 10, 10, 9));
let folder: string;
let where: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "headgate-replay-"));
  where = path.join(folder, "log.jsonl");
  // The size is so small that a second file is started.
  const writer = logFiles(where, { maxBytes: 10_000 });
  const log = decisionLog({ writer, secret: "a secret of sixteen" });
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits: "100/minute" }],
    clock,
  });
  log.record(limiter);
  for (let n = 0; n < 40; n += 1) {
    await limiter.admit("ann");
    await log.flush();
  }
  await log.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const replayOf = (more: Partial<PolicyReplayOptions> = {}) =>
  createPolicyReplay({ where, decisions: { flush: async () => {} }, clock, ...more });

test("reads closed files too, and only the newest lines", async () => {
  expect(await replayOf()("chat", policy, undefined)).toMatchObject({
    decisions: 40,
    newlyRefused: { decisions: 39 },
  });
  const short = await replayOf({ newest: 10 })("chat", policy, undefined);
  expect([short.decisions, short.caveats.join()]).toEqual([10, expect.stringContaining("30 older lines")]);
});

test("runs for one policy at a time", async () => {
  const replay = replayOf();
  const first = replay("chat", policy, undefined);
  await expect(replay("chat", policy, undefined)).rejects.toThrow(/Another policy is being tried/);
  await first;
  await expect(replay("chat", policy, undefined)).resolves.toMatchObject({ decisions: 40 });
});

test("ends after its time limit, with an error that says what to do instead", async () => {
  const slow = replayOf({ timeLimitMs: 1 })("chat", policy, undefined);
  await expect(slow).rejects.toThrow(OperatorMistake);
  await expect(slow).rejects.toThrow(/took longer than .* run headgate-server replay/);
});

test.each([
  ["of another limiter", () => replayOf()("mail", policy, undefined), /^"mail" has no decisions in this log/],
  [
    "of a log without files",
    () => replayOf({ where: path.join(folder, "missing") })("chat", policy, undefined),
    /no decisions yet/,
  ],
])("throws for the log %s", async (_, ask, message) => {
  await expect(ask()).rejects.toThrow(OperatorMistake);
  await expect(ask()).rejects.toThrow(message);
});
