import { expect, test } from "vitest";
import { createLine, LeftTheLine } from "./line.ts";

test("a limited number of callers work at a time, in order of arrival, even if some fail", async () => {
  const line = createLine(3);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = Array.from({ length: 9 }, (_, n) =>
    line.run(async () => {
      begun.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (n % 2 === 1) throw new Error(`${n} failed`);
      return n;
    }),
  );
  const settled = Promise.allSettled(all);
  for (let n = 0; n < 9; n += 1) {
    expect(begun.length - n).toBeLessThanOrEqual(3);
    ends[n]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect((await settled).filter(({ status }) => status === "rejected")).toHaveLength(4);
  // Callers that finished or failed have freed their places.
  expect(await line.run(async () => "next")).toBe("next");
});

test("callers who leave while they wait are skipped, and their work never begins", async () => {
  const line = createLine(1);
  const begun: string[] = [];
  let end = () => {};
  const work = (name: string) => async () => void begun.push(name);
  const first = line.run(() => new Promise<void>((resolve) => (end = resolve)));
  const leaving = new AbortController();
  const second = line.run(work("second"), leaving.signal);
  const third = line.run(work("third"), new AbortController().signal);
  leaving.abort();
  await expect(second).rejects.toThrow(LeftTheLine);
  end();
  await Promise.all([first, third]);
  expect(begun).toEqual(["third"]);
  await expect(line.run(work("gone"), AbortSignal.abort())).rejects.toThrow(LeftTheLine);
  // The place is free: a caller who has left does not hold it.
  await line.run(work("fourth"), leaving.signal).catch(() => {});
  await line.run(work("fifth"));
  expect(begun).toEqual(["third", "fifth"]);
});

test("a caller who leaves after the work has begun gets its result", async () => {
  const line = createLine(1);
  const leaving = new AbortController();
  let end = (_result: string) => {};
  const working = line.run(() => new Promise<string>((resolve) => (end = resolve)), leaving.signal);
  leaving.abort();
  end("done");
  expect(await working).toBe("done");
});
