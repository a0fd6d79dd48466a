const { createLimiter } = require("headgate");

const layers = [{ name: "user", key: (user) => `user:${user}`, limits: "1/minute" }];

afterEach(() => jest.useRealTimers());

test("fake timers move a limiter that was created and used before them", async () => {
  const limiter = createLimiter({ name: "chat", layers });
  expect((await limiter.admit("ann")).admitted).toBe(true);
  jest.useFakeTimers();
  expect((await limiter.admit("ann")).admitted).toBe(false);
  jest.advanceTimersByTime(60_000);
  expect((await limiter.admit("ann")).admitted).toBe(true);
  await limiter.close();
});

test("a waiting caller is admitted once the time has passed", async () => {
  jest.useFakeTimers();
  const limiter = createLimiter({ name: "jobs", layers });
  expect((await limiter.admit("ann")).admitted).toBe(true);
  const waiting = limiter.wait("ann", { maxWaitMs: 120_000 });
  await jest.advanceTimersByTimeAsync(60_000);
  expect((await waiting).admitted).toBe(true);
  await limiter.close();
});

test("setSystemTime moves nothing, because a wall clock that jumps must not widen a limit", async () => {
  jest.useFakeTimers();
  const limiter = createLimiter({ name: "steps", layers });
  expect((await limiter.admit("ann")).admitted).toBe(true);
  jest.setSystemTime(Date.now() + 3_600_000);
  expect((await limiter.admit("ann")).admitted).toBe(false);
  await limiter.close();
});
