import { expect, test } from "vitest";
import { createLine } from "./line.ts";

test("so many work at a time, in the order in which they came, also where one fails", async () => {
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
  // Nobody waits for a place of those that are gone.
  expect(await line.run(async () => "next")).toBe("next");
});
