import { sql } from "drizzle-orm";
import { fakeClock } from "headgate/testing";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { DATABASE_START_MS, openTestDatabase } from "../../testing/database.ts";
import { TEST_START_MS } from "../../testing/service.ts";
import type { OpenDatabase } from "../database/connect.ts";
import { answerParts, turns } from "../database/schema.ts";
import { listParts } from "../repositories/answer-parts.ts";
import type { AnswerChunk } from "./answer-stream.ts";
import { createCredit } from "./credit.ts";
import { chunksIn, createJournal, type JournalEntry, MOST_BYTES, MOST_PARTS } from "./journal.ts";
import { createTurns } from "./turns.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: DATABASE_START_MS });

let open: OpenDatabase;
beforeAll(async () => {
  open = await openTestDatabase();
});
afterAll(() => open.close());

/** Writes chunks several times, as a running answer does, and returns what is kept of them. */
async function kept(writes: readonly (readonly AnswerChunk[])[]) {
  const journal = createJournal({ database: open.database, log: pino({ level: "silent" }), flushMs: 1 });
  const answerId = crypto.randomUUID();
  const entry: JournalEntry = journal.open(answerId, () => {});
  let count = 0;
  for (const chunks of writes) {
    for (const chunk of chunks) entry.write(chunk);
    count += chunks.length;
    await expect
      .poll(async () => (await listParts(open.database, answerId, 0)).at(-1))
      .toSatisfy((last) => last !== undefined && last.position + last.count === count);
  }
  await entry.close();
  journal.close();
  const rows = await listParts(open.database, answerId, 0);
  const bytes = rows.reduce((sum, { chunks }) => sum + Buffer.byteLength(chunks), 0);
  const first = rows[0]?.position ?? count;
  return { rows, bytes, first, count, chunks: rows.flatMap(chunksIn) };
}

const step = (n: number): AnswerChunk => ({ type: "text-start", id: String(n) });
const long = (n: number, length: number): AnswerChunk => ({
  type: "text-delta",
  id: String(n),
  delta: "x".repeat(length),
});

describe("the stored parts of a running answer", () => {
  test("are all of them, up to 2,000", async () => {
    const writes = [Array.from({ length: 1_500 }, (_, n) => step(n)), [step(1_500)]];
    const { chunks, first } = await kept(writes);
    expect(first).toBe(0);
    expect(chunks).toEqual(writes.flat());
  });

  test("are the last 2,000 of more, or up to one batch fewer", async () => {
    const writes = Array.from({ length: 5 }, (_, write) =>
      Array.from({ length: 700 }, (_, n) => step(write * 700 + n)),
    );
    const { chunks, first } = await kept(writes);
    expect(chunks.length).toBeLessThanOrEqual(MOST_PARTS);
    expect(chunks.length).toBeGreaterThan(MOST_PARTS - 100);
    expect(chunks).toEqual(writes.flat().slice(first));
  });

  test("are the last MiB of more, or up to one batch less", async () => {
    const writes = Array.from({ length: 6 }, (_, write) =>
      Array.from({ length: 10 }, (_, n) => long(write * 10 + n, 30_000)),
    );
    const { bytes, chunks, first } = await kept(writes);
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
    expect(bytes).toBeGreaterThan(MOST_BYTES - 65_536 - 30_000);
    expect(chunks).toEqual(writes.flat().slice(first));
  });

  test("include the end even if more than the limits is written at the same time", async () => {
    const parts = Array.from({ length: 5_000 }, (_, n) => step(n));
    const { chunks, first } = await kept([parts]);
    expect(chunks.length).toBeGreaterThan(MOST_PARTS - 100);
    expect(chunks.length).toBeLessThanOrEqual(MOST_PARTS);
    expect(chunks).toEqual(parts.slice(first));
  });

  test("do not include a single part that is longer than a MiB", async () => {
    const { bytes, chunks } = await kept([[step(1), long(1, MOST_BYTES), step(2)]]);
    expect(bytes).toBeLessThan(1_000);
    expect(chunks).toEqual([step(2)]);
  });

  test("join consecutive pieces of one text", async () => {
    const { chunks } = await kept([[step(1), long(1, 3)]]);
    expect(chunks).toEqual([step(1), long(1, 3)]);
    const journal = createJournal({ database: open.database, log: pino({ level: "silent" }), flushMs: 1e6 });
    const answerId = crypto.randomUUID();
    const entry = journal.open(answerId, () => {});
    for (let n = 0; n < 1_000; n += 1) entry.write(long(1, 2));
    await entry.close();
    journal.close();
    expect((await listParts(open.database, answerId, 0)).flatMap(chunksIn)).toEqual([long(1, 2_000)]);
  });

  test("are deleted a minute after the answer's end, and not before", async () => {
    const { database } = open;
    const clock = fakeClock(TEST_START_MS);
    const terms = { monthlyAllowance: 0, currency: "GBP" };
    const sweeper = createTurns(database, clock, createCredit(database, clock, terms));
    const ended = async (seconds: number | undefined) => {
      const answerId = crypto.randomUUID();
      const ids = { answerId, conversationId: answerId, messageId: answerId, owner: "user:ada" };
      const turn = {
        ...ids,
        kind: "answer" as const,
        opened: false,
        model: "m",
        held: 0,
        priceVersion: "test",
      };
      const endedAt = seconds === undefined ? null : sql`now() - make_interval(secs => ${seconds})`;
      await database.insert(turns).values({ ...turn, createdAt: new Date(clock.now()), endedAt });
      await database.insert(answerParts).values({ answerId, position: 0, count: 1, chunks: "{}" });
      return answerId;
    };
    const [running, recent, old] = [await ended(undefined), await ended(50), await ended(61)];
    await sweeper.sweep(30_000);
    const left = async (answerId: string) => (await listParts(database, answerId, 0)).length;
    expect([await left(running), await left(recent), await left(old)]).toEqual([1, 1, 0]);
  });
});
