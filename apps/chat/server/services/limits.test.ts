import { type RedisServer, startRedis } from "@headgate/test-servers/redis.ts";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { startTestService, type TestService, until } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";

interface Line {
  level: number;
  msg: string;
  limiter?: string;
}

const lines: string[] = [];
const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
let redis: RedisServer;
let database: OpenDatabase;
let service: TestService;

beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), openTestDatabase()]);
  service = await startTestService({ database, log, env: { RATE_LIMIT_STORAGE_URI: redis.url } });
}, DATABASE_START_MS);

afterAll(async () => {
  await service.close();
  await database.close();
  await redis.remove();
});

/** The messages about the store of the chat's limiter. */
const aboutStore = () =>
  lines
    .map((line): Line => JSON.parse(line))
    .filter(({ limiter, msg }) => limiter === "chat" && msg.startsWith("a limiter's store"))
    .map(({ level, msg }) => [level, msg]);

test("an outage of the limits' store is logged as JSON lines without a stack, once, and so is its end", async () => {
  const write = [vi.spyOn(console, "warn"), vi.spyOn(console, "error")];
  const client = service.client({ "X-User-Id": "ann" });
  const untilLogged = (count: number) =>
    until(async () => {
      service.clock.advance(1_000);
      expect((await client("/me")).status).toBe(200);
      return aboutStore().length === count;
    });
  await redis.crash();
  await untilLogged(1);
  await redis.start();
  await untilLogged(2);

  expect(aboutStore()).toEqual([
    [50, "a limiter's store does not answer: the outage policies decide until it does"],
    [40, "a limiter's store answers again"],
  ]);
  expect(lines.filter((line) => line.includes("rate limiter error"))).not.toEqual([]);
  expect(lines.filter((line) => /"stack"|\\n +at /.test(line))).toEqual([]);
  for (const spy of write) expect(spy).not.toHaveBeenCalled();
}, 60_000);
