import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createFairTurns } from "./fair-turns.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** One turn of the event loop, with everything that was due in it. */
const round = () => new Promise((resolve) => setImmediate(resolve));

function workers() {
  let nowMs = 0;
  const turns = createFairTurns(() => nowMs);
  const done: number[] = [];
  const work = async (n: number, takesMs: number) => {
    await turns.take();
    // Like a part of an answer: some work now, and some after an await.
    nowMs += takesMs / 2;
    await Promise.resolve();
    nowMs += takesMs / 2;
    done.push(n);
  };
  return { turns, done, work };
}

test("the first in line goes first, and the event loop continues when the time is up", async () => {
  const { done, work } = workers();
  for (let n = 0; n < 12; n += 1) void work(n, 2);
  const perRound: number[] = [];
  for (let before = 0; done.length < 12; before = done.length) {
    await round();
    perRound.push(done.length - before);
  }
  expect(done).toEqual(Array.from({ length: 12 }, (_, n) => n));
  // Five milliseconds per turn allow three pieces of work of two milliseconds.
  expect(Math.max(...perRound.slice(1))).toBeLessThanOrEqual(3);
  expect(perRound.length).toBeGreaterThanOrEqual(3);
});

test("if the loop has time, nobody waits for its next turn", async () => {
  const { turns } = workers();
  let hasGoneRound = false;
  setImmediate(() => {
    hasGoneRound = true;
  });
  for (let n = 0; n < 1_000; n += 1) await turns.take();
  expect(hasGoneRound).toBe(false);
});

test("everybody gets a turn, whenever they arrive", async () => {
  const { done, work } = workers();
  const all: Promise<void>[] = [];
  for (let n = 0; n < 500; n += 1) {
    all.push(work(n, n % 7));
    if (n % 50 === 0) await round();
  }
  await Promise.all(all);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, n) => n));
});

test("finished turns take no memory, even if somebody always waits", async () => {
  const { turns } = workers();
  const answers = 20;
  const rounds = 20_000;
  const before = heapBytes();
  let grown = 0;
  await Promise.all(
    Array.from({ length: answers }, async (_, answer) => {
      for (let n = 0; n < rounds; n += 1) await turns.take();
      if (answer === 0) grown = heapBytes() - before;
    }),
  );
  expect(grown / (answers * rounds)).toBeLessThan(8);
});
