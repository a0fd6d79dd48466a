import { Hono } from "hono";
import { expect, test } from "vitest";
import { jsonInPieces } from "./json-in-pieces.ts";

test("a client that does not read on holds a few pieces, and the rest is never made", async () => {
  let made = 0;
  let isEnded = false;
  async function* pieces() {
    try {
      for (; made < 100; made += 1) yield `${made},`;
    } finally {
      isEnded = true;
    }
  }
  const app = new Hono().get("/", (c) => jsonInPieces(c, pieces()));
  const reader = (await app.request("/")).body?.getReader();
  await reader?.read();
  await new Promise((resolve) => setImmediate(resolve));
  expect(made).toBeLessThan(4);
  await reader?.cancel();
  expect([made < 4, isEnded]).toEqual([true, true]);
});
