const { randomUUID } = require("node:crypto");
const manifest = require("headgate/package.json");
const { createLimiter, HeadgateError } = require("headgate");
const { rateLimit } = require("headgate/hono");
const { fakeClock } = require("headgate/testing");
const { Hono } = require("hono");

const layers = [{ name: "user", key: (user) => `user:${user}`, limits: "1/minute" }];

// Nest 12 has only ES modules, which Jest can require only with a transform.
const subpaths = Object.keys(manifest.exports).filter((path) => !["./package.json", "./nest"].includes(path));

test.each(subpaths)("the subpath %s can be required", (subpath) => {
  expect(Object.keys(require(`headgate${subpath.slice(1)}`))).not.toEqual([]);
});

test("an app is admitted, refused, and admitted again", async () => {
  const clock = fakeClock();
  const limiter = createLimiter({ name: "chat", layers, clock });
  const app = new Hono();
  app.post("/chat", rateLimit(limiter, { caller: () => "ann" }), (c) => c.text("hello"));
  const ask = async () => (await app.request("/chat", { method: "POST" })).status;
  expect([await ask(), await ask()]).toEqual([200, 429]);
  clock.advance(60_000);
  expect(await ask()).toBe(200);
  await limiter.close();
});

test("instanceof recognises a HeadgateError", () => {
  expect(() => createLimiter({ name: "chat", layers: [] })).toThrow(HeadgateError);
});

test("a store URL loads its driver", async () => {
  const limiter = createLimiter({
    name: randomUUID(),
    layers,
    store: process.env.REDIS_URL,
    timeouts: { storeMs: 5000 },
  });
  const admissions = [await limiter.admit("ann"), await limiter.admit("ann")];
  expect(admissions.map(({ admitted, decidedBy }) => [admitted, decidedBy])).toEqual([
    [true, "store"],
    [false, "store"],
  ]);
  await limiter.close();
});

test("a store without its driver names the package to install", async () => {
  const errors = [];
  const limiter = createLimiter({
    name: "chat",
    layers,
    store: "postgres://127.0.0.1:1/limits",
    timeouts: { connectMs: 500 },
    onError: (error) => errors.push(String(error)),
  });
  expect((await limiter.admit("ann")).admitted).toBe(true);
  expect(errors.join()).toContain("npm install pg");
  await limiter.close();
});
