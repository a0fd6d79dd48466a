import { describe, expect, it } from "vitest";
import { createSweeper } from "./sweeper.ts";

const everyMs = 10_000;

/** A sweeper whose sweeps end when the test says so. */
function sweeper() {
  const sweeps: { page: number; end(answer: { nextPage: number; full: boolean }): void; fail(): void }[] = [];
  const made = createSweeper(
    (page) =>
      new Promise((resolve, reject) => {
        sweeps.push({ page, end: resolve, fail: () => reject(new Error("down")) });
      }),
  );
  /** The requested pages, in order. */
  const pages = () => sweeps.map(({ page }) => page);
  return { ...made, sweeps, pages };
}

describe("createSweeper", () => {
  it("starts at any page, continues at the returned page, and not before its interval", async () => {
    const { afterTrip, sweeps, pages } = sweeper();
    void afterTrip(0);
    const first = afterTrip(everyMs);
    expect(pages()).toEqual([-1]);
    sweeps[0]?.end({ nextPage: 7, full: false });
    await first;
    void afterTrip(2 * everyMs - 1);
    expect(pages()).toEqual([-1]);
    void afterTrip(2 * everyMs);
    expect(pages()).toEqual([-1, 7]);
  });

  it("continues soon if it deleted as many rows as it may", async () => {
    const { afterTrip, sweeps, pages } = sweeper();
    void afterTrip(0);
    const first = afterTrip(everyMs);
    sweeps[0]?.end({ nextPage: 3, full: true });
    await first;
    void afterTrip(everyMs + 250);
    expect(pages()).toEqual([-1, 3]);
  });

  it("runs one sweep at a time, and none after it was stopped", async () => {
    const { afterTrip, stop, sweeps, pages } = sweeper();
    void afterTrip(0);
    const first = afterTrip(everyMs);
    await afterTrip(5 * everyMs);
    expect(pages()).toEqual([-1]);
    stop();
    sweeps[0]?.end({ nextPage: 0, full: true });
    await first;
    await afterTrip(9 * everyMs);
    expect(pages()).toEqual([-1]);
  });

  it("tries the same pages again after a failure", async () => {
    const { afterTrip, sweeps, pages } = sweeper();
    void afterTrip(0);
    const first = afterTrip(everyMs);
    sweeps[0]?.end({ nextPage: 4, full: false });
    await first;
    const second = afterTrip(2 * everyMs);
    sweeps[1]?.fail();
    await second;
    void afterTrip(3 * everyMs);
    expect(pages()).toEqual([-1, 4, 4]);
  });

  it("continues after its clock is set back", async () => {
    const { afterTrip, sweeps, pages } = sweeper();
    void afterTrip(100 * everyMs);
    const first = afterTrip(101 * everyMs);
    sweeps[0]?.end({ nextPage: 1, full: false });
    await first;
    void afterTrip(0);
    expect(pages()).toEqual([-1, 1]);
  });
});
