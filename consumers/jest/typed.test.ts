import { expect, test } from "@jest/globals";
import { createLimiter } from "headgate";
import { rateLimit } from "headgate/fetch";
import { fakeClock } from "headgate/testing";

const clock = fakeClock();
const limiter = createLimiter({
  name: "chat",
  layers: [{ name: "user", key: (user: string) => `user:${user}`, limits: "1/minute; 100 tokens/day" }],
  clock,
});

test("ts-jest checks the types and runs the code", async () => {
  // @ts-expect-error a unit that no limit counts
  expect(() => limiter.admit("ann", { cost: { tokne: 1 } })).toThrow("tokne");
  const guarded = rateLimit(limiter, { caller: () => "ann" })(() => new Response("hello"));
  const ask = async () => (await guarded(new Request("http://chat/"))).status;
  expect([await ask(), await ask()]).toEqual([200, 429]);
  clock.advance(60_000);
  expect(await ask()).toBe(200);
});
