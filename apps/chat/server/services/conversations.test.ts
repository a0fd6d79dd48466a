import { expect, test, vi } from "vitest";
import type { Database } from "../database/connect.ts";
import { createConversations } from "./conversations.ts";

/** Reads in progress: the text, and a function that ends each of them. */
const reads = vi.hoisted(() => [] as { search: string | undefined; end: () => void }[]);
vi.mock("../repositories/conversations.ts", async (original) => ({
  ...(await original<object>()),
  listConversations: (_database: unknown, _owner: string, { search }: { search?: string }) =>
    new Promise((resolve) => reads.push({ search, end: () => resolve([]) })),
}));

test("searches read one at a time; lists without a search do not wait, and a search whose client has left does not read", async () => {
  const service = createConversations({} as Database, { now: () => 0 } as never, {} as never);
  const leaving = new AbortController();
  const list = (search: string | undefined, left = new AbortController().signal) =>
    service.list("user:ann", { limit: 30, cursor: undefined, search }, left);

  const first = list("tax");
  const second = list("rent", leaving.signal);
  const third = list("loan");
  const plain = list(undefined);
  await vi.waitFor(() => expect(reads.map(({ search }) => search)).toEqual(["tax", undefined]));
  leaving.abort();
  await expect(second).rejects.toThrow("The client left before the search.");
  reads[1]?.end();
  expect(await plain).toEqual({ conversations: [], nextCursor: null });
  reads[0]?.end();
  await first;
  await vi.waitFor(() => expect(reads.map(({ search }) => search)).toEqual(["tax", undefined, "loan"]));
  reads[2]?.end();
  expect(await third).toEqual({ conversations: [], nextCursor: null });
});
