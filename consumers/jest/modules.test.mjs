import { createLimiter } from "headgate";

test("the ES modules load if Jest runs with Node's flag", async () => {
  const layers = [{ name: "user", key: (user) => user, limits: "1/minute" }];
  const limiter = createLimiter({ name: "chat", layers });
  expect((await limiter.admit("ann")).admitted).toBe(true);
  expect((await limiter.admit("ann")).admitted).toBe(false);
  await limiter.close();
});
