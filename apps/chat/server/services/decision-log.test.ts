import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { differencesOf, limitersIn, readLog, replay, trafficOf } from "headgate-server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

vi.setConfig({ testTimeout: 60_000 });

let database: OpenDatabase;
let folder: string;
beforeAll(async () => {
  database = await openTestDatabase();
}, DATABASE_START_MS);
afterAll(() => database.close());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "headgate-chat-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const strict = {
  RATE_LIMIT_CHAT_PER_MIN: "2",
  RATE_LIMIT_CHAT_TOKENS_PER_DAY: "100000",
  RATE_LIMIT_CHAT_CONCURRENT: "2",
};

describe("DECISION_LOG", () => {
  test("turns on a log of the service's decisions, which a replay matches", async () => {
    const where = path.join(folder, "decisions");
    const env = { ...strict, DECISION_LOG: where };
    const service = await startTestService({ database, env });
    const ids: (string | null)[] = [];
    const names = [`ann-${crypto.randomUUID()}`, `bob-${crypto.randomUUID()}`];
    for (const name of names) {
      const person = service.client({ "X-User-Id": name });
      for (let n = 0; n < 3; n += 1)
        ids.push((await person.ask("hello")).response.headers.get("X-Request-Id"));
      service.clock.advance(1000);
    }
    await service.close();
    const again = await startTestService({ database, env, clock: service.clock });
    await again.client({ "X-User-Id": names[0] as string }).ask("hello");
    await again.close();

    const content = await readLog([where]);
    expect([content.lost, content.unreadable]).toEqual([0, 0]);
    expect(limitersIn(content.lines)).toEqual(expect.arrayContaining(["bodies", "chat"]));
    for (const limiter of limitersIn(content.lines)) {
      const outcome = replay(trafficOf(content.lines, limiter, true));
      expect(differencesOf(outcome.decisions), limiter).toEqual([]);
      expect(outcome.extensionsDiffering).toBe(0);
    }
    const traffic = trafficOf(content.lines, "chat", true);
    const { decisions, usedInLog } = replay(traffic);
    const [first, , third] = decisions.map(({ line }) => line);
    expect(decisions.map(({ admitted }) => admitted)).toEqual([true, true, false, true, true, false, true]);
    expect(third).toMatchObject({ request: ids[2], admitted: false, limit: "user-per-minute" });
    expect(first && usedInLog(first).tokens).toBeGreaterThan(0);
    // A restart keeps the pseudonyms.
    expect(traffic.oneSegment).toBe(true);
    expect(decisions.at(-1)?.line.partitions[0]).toEqual(first?.partitions[0]);

    const text = readdirSync(where)
      .map((name) => readFileSync(path.join(where, name), "utf8"))
      .join("");
    for (const secret of [...names, "127.0.0.1", "hello"]) expect(text).not.toContain(secret);
  });

  test("is off by default, and if the log cannot be written, nobody is refused", async () => {
    const inTheWay = path.join(folder, "file");
    writeFileSync(inTheWay, "");
    const service = await startTestService({
      database,
      env: { DECISION_LOG: path.join(inTheWay, "decisions") },
    });
    const { response } = await service.client({ "X-User-Id": `u-${crypto.randomUUID()}` }).ask("hello");
    expect(response.status).toBe(200);
    await service.close();
    await expect(
      startTestService({ database, env: { DECISION_LOG: folder, DECISION_LOG_MAX_MB: "0" } }),
    ).rejects.toThrow(/DECISION_LOG_MAX_MB/);
  });
});
