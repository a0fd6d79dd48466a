jest.useFakeTimers();
const { createLimiter } = require("headgate");

const layers = [{ name: "user", key: (user) => `user:${user}`, limits: "5/minute" }];

test("fake timers that were installed before the import move the clock", async () => {
  const limiter = createLimiter({ name: "chat", layers });
  for (let n = 0; n < 5; n += 1) expect((await limiter.admit("ann")).admitted).toBe(true);
  expect((await limiter.admit("ann")).admitted).toBe(false);
  jest.advanceTimersByTime(59_999);
  expect((await limiter.admit("ann")).admitted).toBe(false);
  jest.advanceTimersByTime(1);
  expect((await limiter.admit("ann")).admitted).toBe(true);
  await limiter.close();
});
