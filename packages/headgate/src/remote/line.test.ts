import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Admission } from "../core/admission.ts";
import { createLimiter } from "../limiter/limiter.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedStore } from "../testing/scripted-store.ts";
import { createLine, fewestUnderWay, mostInLine, mostUnderWay } from "./line.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const limitMs = 250;

function limited(limits = "5/hour") {
  const store = scriptedStore();
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "user", key: (user) => user, limits }],
    store,
    clock: fakeClock(),
    onError: () => {},
    onOutage: () => {},
  });
  return { store, limiter };
}

const countOf = (answers: readonly Admission[], decidedBy: string) =>
  answers.filter((one) => one.decidedBy === decidedBy).length;

it("sends a limited number of calls at once, and queues only requests that are not known to be refused", async () => {
  const { store, limiter } = limited();
  store.mode = "hang";
  const asked = Array.from({ length: 1000 }, () => limiter.admit("alice"));
  expect(store.calls.decide).toBe(fewestUnderWay);
  store.mode = "answer";
  store.answerHeld();
  const answers = await Promise.all(asked);
  expect(answers.filter(({ admitted }) => admitted)).toHaveLength(5);
  expect(countOf(answers, "outage-policy")).toBe(0);
  expect(store.calls.decide).toBeLessThan(3 * fewestUnderWay);
  expect(limiter.status().failures).toBe(0);
});

it("does not blame its own queue on a store that takes a while for each answer", async () => {
  const { store, limiter } = limited("1/hour");
  store.mode = "hang";
  const asked = Array.from({ length: 600 }, (_, n) => limiter.admit(`user${n}`));
  for (let turn = 0; turn < 12; turn += 1) {
    await vi.advanceTimersByTimeAsync(100);
    store.answerHeld();
  }
  const answers = await Promise.all(asked);
  expect(answers.every(({ admitted }) => admitted)).toBe(true);
  expect(countOf(answers, "store")).toBe(600);
});

it("lets no decision wait longer than four time limits", async () => {
  const { store, limiter } = limited("1/hour");
  store.mode = "hang";
  const asked = Array.from({ length: 1000 }, (_, n) => limiter.admit(`user${n}`));
  // Too slow to widen the line, but too fast for an outage.
  for (let turn = 0; turn < 6; turn += 1) {
    await vi.advanceTimersByTimeAsync(240);
    store.answerHeld();
  }
  const answers = await Promise.all(asked);
  expect([countOf(answers, "store"), countOf(answers, "outage-policy")]).toEqual([
    5 * fewestUnderWay,
    1000 - 5 * fewestUnderWay,
  ]);
});

it("does not count the time in which this process itself was busy, up to a limit", async () => {
  const line = createLine(limitMs, () => 0);
  const decideAfter = (busyMs: number) => {
    const calls = Array.from({ length: line.width }, () => line.entered());
    const late = line.stand((isLate) => isLate);
    vi.advanceTimersByTime(busyMs);
    for (const enteredAt of calls) line.left(true, enteredAt);
    return late;
  };
  expect(await decideAfter(20 * limitMs)).toBe(false);
  // The answers were prompt: more calls may be under way.
  expect(line.width).toBeGreaterThan(fewestUnderWay);
  expect(await decideAfter(20 * limitMs + 1)).toBe(true);
});

it("is emptied as soon as the store does not answer", async () => {
  const { store, limiter } = limited("1/hour");
  store.mode = "hang";
  const asked = Array.from({ length: 1000 }, (_, n) => limiter.admit(`user${n}`));
  await vi.advanceTimersByTimeAsync(limitMs + 10);
  expect(countOf(await Promise.all(asked), "outage-policy")).toBe(1000);
  expect(store.calls.decide).toBeLessThan(2 * fewestUnderWay);
});

it("does not let an outage policy admit a caller that the store has just refused", async () => {
  const { store, limiter } = limited("1/hour");
  await limiter.admit("alice");
  await limiter.admit("alice");
  store.mode = "reject";
  for (let n = 0; n < 5; n += 1) await limiter.admit("bob");
  expect(limiter.status().state).toBe("open");
  expect(await limiter.admit("alice")).toMatchObject({ admitted: false, decidedBy: "refusal-memory" });
});

it("is bounded", async () => {
  const { store, limiter } = limited("1/hour");
  store.mode = "hang";
  const asked = Array.from({ length: fewestUnderWay + mostInLine }, (_, n) => limiter.admit(`user${n}`));
  expect(await limiter.admit("one more")).toMatchObject({ decidedBy: "outage-policy" });
  store.mode = "answer";
  store.answerHeld();
  expect(countOf(await Promise.all(asked), "store")).toBe(fewestUnderWay + mostInLine);
});

it("grows with prompt answers while it is used, and shrinks once for calls that are slow at the same time", () => {
  const line = createLine(limitMs, () => performance.now());
  const round = (calls: number, answered: boolean, tookMs: number) => {
    for (let n = 0; n < calls; n += 1) line.entered();
    for (let n = 0; n < calls; n += 1) line.left(answered, performance.now() - tookMs);
    return line.width;
  };
  for (let n = 0; n < 100; n += 1) round(1, true, 1);
  expect(line.width).toBe(fewestUnderWay);
  for (let n = 0; n < 100; n += 1) round(line.width, true, 125);
  expect(line.width).toBe(mostUnderWay);
  expect(round(mostUnderWay, true, 126)).toBe(mostUnderWay / 2);
  vi.advanceTimersByTime(limitMs);
  expect(round(10, false, 5)).toBe(mostUnderWay / 4);
  for (let n = 0; n < 10; n += 1) {
    vi.advanceTimersByTime(limitMs);
    round(10, false, 5);
  }
  expect(line.width).toBe(fewestUnderWay);
});
