import { afterEach, describe, expect, it, vi } from "vitest";
import type { Admission, Admitted, Refused } from "../core/admission.ts";
import { systemClock } from "./clock.ts";
import { createLimiter } from "./limiter.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function fiveAMinute() {
  const limiter = createLimiter<string>({
    name: "chat",
    layers: [{ name: "key", key: (key) => key, limits: "5/minute" }],
  });
  return (key = "a") => (limiter.admit(key) as Admission).admitted;
}

describe("the clock of this process", () => {
  it("admits no more if the wall clock steps forward and back every three seconds", () => {
    vi.useFakeTimers();
    const admits = fiveAMinute();
    let admitted = 0;
    for (let second = 0; second < 600; second += 1) {
      if (second % 3 === 0) vi.setSystemTime(Date.now() + (second % 2 === 0 ? 11_000 : -11_000));
      for (let n = 0; n < 3; n += 1) if (admits()) admitted += 1;
      vi.advanceTimersByTime(1000);
    }
    expect(admitted).toBe(50);
  });

  it("follows fake timers that are installed after it was read, and continues after them", () => {
    const admits = fiveAMinute();
    for (let n = 0; n < 5; n += 1) admits();
    expect(admits()).toBe(false);
    vi.useFakeTimers();
    expect(admits()).toBe(false);
    vi.advanceTimersByTime(59_000);
    expect(admits()).toBe(false);
    vi.advanceTimersByTime(1001);
    expect(admits()).toBe(true);
    vi.useRealTimers();
    for (let n = 0; n < 4; n += 1) admits();
    expect(admits()).toBe(false);
  });

  it.each(["", ", once more"])("follows fake timers that are advanced before the first read%s", () => {
    const admits = fiveAMinute();
    for (let n = 0; n < 5; n += 1) admits();
    vi.useFakeTimers();
    vi.advanceTimersByTime(59_000);
    expect(admits()).toBe(false);
    vi.advanceTimersByTime(1001);
    for (let n = 0; n < 5; n += 1) expect(admits()).toBe(true);
    vi.useRealTimers();
    expect(admits()).toBe(false);
  });

  it("also times waiting callers and reservations", async () => {
    vi.useFakeTimers();
    const limiter = createLimiter<string>({
      name: "chat",
      layers: [{ name: "key", key: (key) => key, limits: "1/minute; 1 concurrent" }],
    });
    const first = limiter.admit("a") as Admitted;
    const second = limiter.wait("a", { maxWaitMs: 120_000 });
    await vi.advanceTimersByTimeAsync(90_000);
    // The heartbeat has renewed the lease, so the first request still holds its place.
    expect((limiter.admit("a") as Refused).binding.name).toBe("key-concurrent");
    await first.end();
    await vi.advanceTimersByTimeAsync(1000);
    expect((await second).admitted).toBe(true);
    await limiter.close();
  });

  it("never runs backwards, and advances like real time", async () => {
    const before = systemClock.now();
    const real = performance.now();
    while (performance.now() - real < 5);
    const passed = systemClock.now() - before;
    expect(passed).toBeGreaterThanOrEqual(5);
    vi.useFakeTimers();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before + passed);
  });
});
