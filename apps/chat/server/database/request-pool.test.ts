import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { databaseTrouble } from "../database-trouble.ts";
import { MOST_WAITING, RequestPool } from "./request-pool.ts";

/** Connects at once. Its queries end when the test says so. */
class FakeClient extends EventEmitter {
  readonly _queryable = true;
  connect(done: () => void): void {
    done();
  }
  query(_text: string, _values: unknown, done: (error: null, result: object) => void): void {
    queries.push(() => done(null, { rows: [] }));
  }
  end(done?: () => void): void {
    done?.();
  }
}

let queries: (() => void)[] = [];

beforeEach(() => {
  queries = [];
  vi.useFakeTimers();
});

afterEach(() => void vi.useRealTimers());

const WAIT_MS = 5_000;

function openPool(mostWaiting?: number): RequestPool {
  const options = { max: 2, connectionTimeoutMillis: WAIT_MS, Client: FakeClient };
  return new RequestPool(options as object, mostWaiting);
}

/** Asks so many queries at once. @returns what became of each: `answered`, or what troubles the database */
function ask(pool: RequestPool, count: number): (string | undefined)[] {
  const results: (string | undefined)[] = Array.from({ length: count }, () => undefined);
  for (const index of results.keys()) {
    pool.query("select 1").then(
      () => {
        results[index] = "answered";
      },
      (error: unknown) => {
        results[index] = databaseTrouble(error) ?? String(error);
      },
    );
  }
  return results;
}

/** Ends the queries under way, and lets the next ones start. */
async function answer(): Promise<void> {
  for (const end of queries.splice(0)) end();
  await vi.advanceTimersByTimeAsync(0);
}

test("a wait for a connection that took too long is an overload if others were answered meanwhile", async () => {
  const pool = openPool();
  const results = ask(pool, 8);
  await vi.advanceTimersByTimeAsync(WAIT_MS - 100);
  await answer();
  expect(pool.isBusy).toBe(false);
  await vi.advanceTimersByTimeAsync(100);
  expect(results).toEqual(["answered", "answered", undefined, undefined, "busy", "busy", "busy", "busy"]);
  expect(pool.isBusy).toBe(true);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(pool.isBusy).toBe(false);
  await answer();
  expect(results.slice(2, 4)).toEqual(["answered", "answered"]);
});

test("the same wait is an outage if nobody was answered meanwhile", async () => {
  const pool = openPool();
  const results = ask(pool, 4);
  await vi.advanceTimersByTimeAsync(WAIT_MS);
  expect(results).toEqual([undefined, undefined, "unreachable", "unreachable"]);
  expect(pool.isBusy).toBe(false);
});

test("time in which the process was too busy to read answers does not count as a wait", async () => {
  const pool = openPool();
  const results = ask(pool, 3);
  await vi.advanceTimersByTimeAsync(1_000);
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 60_000);
  await vi.advanceTimersByTimeAsync(WAIT_MS - 1_200);
  expect(results).toEqual([undefined, undefined, undefined]);
  await answer();
  await answer();
  expect(results).toEqual(["answered", "answered", "answered"]);
  clock.mockRestore();
});

test("beyond the most that may wait, a request is refused at once", async () => {
  const pool = openPool(3);
  const results = ask(pool, 6);
  await vi.advanceTimersByTimeAsync(0);
  expect(results).toEqual([undefined, undefined, undefined, undefined, undefined, "busy"]);
  expect(pool.isBusy).toBe(true);
  for (let round = 0; round < 3; round += 1) await answer();
  expect(results.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "answered"));
});

test("a transaction, which takes a connection for longer, waits in the same way", async () => {
  const pool = openPool();
  const [held] = [await pool.connect(), await pool.connect()];
  const next = pool.connect();
  const late = pool.connect().then(
    () => "answered",
    (error: unknown) => databaseTrouble(error),
  );
  held.release();
  await next;
  await vi.advanceTimersByTimeAsync(WAIT_MS);
  expect(await late).toBe("busy");
});

test("a pool that closes fails everyone who still waits, however many they are", async () => {
  const pool = openPool();
  const results = ask(pool, MOST_WAITING);
  const ended = pool.end();
  await answer();
  await ended;
  await vi.advanceTimersByTimeAsync(10);
  expect(results.filter((result) => result === "answered")).toHaveLength(2);
  expect(results.filter((result) => result === undefined)).toEqual([]);
});
