import { afterEach, describe, expect, it, vi } from "vitest";
import { giveUpAfter } from "./give-up.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("giveUpAfter", () => {
  it("passes the answer on, and leaves no timer behind", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    expect(await giveUpAfter(Promise.resolve(7), 100)).toBe(7);
    await expect(giveUpAfter(Promise.reject(new Error("down")), 100)).rejects.toThrow("down");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects at the time limit and not before, and marks the call as possibly applied", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let settled = false;
    const given = giveUpAfter(new Promise(() => {}), 100).finally(() => {
      settled = true;
    });
    const failure = expect(given).rejects.toMatchObject({
      message: "PostgreSQL did not answer within 100 ms.",
      inDoubt: true,
    });
    vi.advanceTimersByTime(99);
    await Promise.resolve();
    expect(settled).toBe(false);
    vi.advanceTimersByTime(1);
    await failure;
  });
});
