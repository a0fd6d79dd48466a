import { expect, test } from "vitest";
import type { Database } from "../database/connect.ts";
import { createFollowing } from "./following.ts";

test("a reader whose answer cannot be read frees its place", async () => {
  const database = {
    select() {
      throw new Error("the database is unavailable");
    },
  } as unknown as Database;
  let ended = 0;
  const following = createFollowing({ database, turns: { sweep: async () => 0 } });
  const stream = following.follow({
    conversationId: "one",
    answerId: "two",
    news: () => Promise.reject(new Error("not reached")),
    onEnd() {
      ended += 1;
    },
  });
  await expect(stream.getReader().read()).rejects.toThrow("the database is unavailable");
  expect(ended).toBe(1);
});
